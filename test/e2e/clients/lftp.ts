/** lftp's sftp, which starts OpenSSH's `ssh` for the transport: files only. */
import { runProgram } from '../../support/ssh-client.ts';
import { type Client, filesOnly, type Visit } from './client.ts';
import { printed } from './driver.ts';

const lftp = (visit: Visit, command: string) => {
  const ssh = [
    ...['ssh', '-a', '-x', '-F', '/dev/null', '-i', visit.key, '-o', 'IdentitiesOnly=yes'],
    ...['-o', `UserKnownHostsFile=${visit.knownHosts}`, '-o', 'StrictHostKeyChecking=yes'],
  ].join(' ');
  const script = [
    `set sftp:connect-program "${ssh}"`,
    'set net:max-retries 1',
    'set cmd:fail-exit true',
    `open -p ${visit.port} -u ${visit.login}, sftp://127.0.0.1`,
    command,
  ].join('; ');
  return runProgram('lftp', ['--norc', '-c', script], { env: { HOME: visit.folder } });
};

export const lftpClient: Client = {
  name: 'lftp',
  version: async () => /Version (\S+)/.exec(await printed('lftp', '--version'))?.[1] ?? '',
  put: (visit, local, remote) => lftp(visit, `put ${local} -o ${remote}`),
  get: (visit, remote, local) => lftp(visit, `get ${remote} -o ${local}`),
  limits: {
    exec: filesOnly,
    pty: filesOnly,
    env: filesOnly,
    forward: filesOnly,
    keepalive: 'left to ssh',
    rekey: 'left to ssh',
  },
};
