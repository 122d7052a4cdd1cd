import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../../support/ssh-client.ts';
import { besideDrivers, drivenBy, printed } from './driver.ts';

export const netSsh = drivenBy({
  name: 'Ruby net-ssh, net-sftp',
  version: () => printed('ruby', '-e', 'require "net/ssh"; puts Net::SSH::Version::STRING'),
  command: async () => ['ruby', besideDrivers('net_ssh_client.rb')],
  // net-ssh 7.0 with OpenSSL 3 reads ECDSA and RSA keys as PEM only.
  keyFor: async ({ key, folder }) => {
    const pem = join(folder, 'key.pem');
    await copyFile(key, pem);
    const { status, stderr } = await runProgram('ssh-keygen', ['-q', '-p', '-m', 'PEM', '-N', '', '-f', pem]);
    if (status !== 0) throw new Error(stderr);
    return pem;
  },
});
