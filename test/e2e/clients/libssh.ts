/** libssh's own example client, `ssh-client`, compiled from the sources that Debian has as documentation. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../../support/ssh-client.ts';
import { type Client, locally } from './client.ts';
import { compiled } from './compiled.ts';
import { besideDrivers, printed } from './driver.ts';
import { runInTerminal } from './terminal.ts';

const examples = '/usr/share/doc/libssh-dev/examples';
const headers = besideDrivers('libssh-include');
const sources = ['ssh_client.c', 'authentication.c', 'knownhosts.c'].map((name) => join(examples, name));

const program = async (): Promise<string> => {
  const folder = await compiled({
    name: 'libssh-client',
    sources: [...sources, join(headers, 'config.h'), join(headers, 'libssh/priv.h')],
    command: (output) => [
      ...['gcc', '-w', '-D_GNU_SOURCE', `-I${headers}`, `-I${examples}`],
      ...['-o', join(output, 'ssh-client'), ...sources, '-lssh'],
    ],
  });
  return join(folder, 'ssh-client');
};

export const libssh: Client = {
  name: 'libssh, its example client',
  version: async () =>
    (await printed('dpkg-query', '-f', `\${Version}`, '-W', 'libssh-dev')).replace(/-.*$/, ''),
  exec: async (visit, command) => {
    const config = join(visit.folder, 'config');
    const lines = [
      'Host 127.0.0.1',
      `IdentityFile ${visit.key}`,
      `UserKnownHostsFile ${visit.knownHosts}`,
      'StrictHostKeyChecking yes',
      ...(visit.rekeyBytes === undefined ? [] : [`RekeyLimit ${visit.rekeyBytes}`]),
      ...(visit.keepaliveSeconds === undefined ? [] : [`ServerAliveInterval ${visit.keepaliveSeconds}`]),
      ...Object.entries(visit.env ?? {}).map(([name, value]) => `SetEnv ${name}=${value}`),
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    const run = visit.pty ? runInTerminal : runProgram;
    // A terminal it asks for only when it is to start a shell, which then gets the command typed.
    const typed = Buffer.from(`${command}; exit\n`);
    return run(
      await program(),
      [
        ...['-F', config, '-p', String(visit.port), '-l', visit.login, '127.0.0.1'],
        ...(visit.pty ? [] : [command]),
      ],
      visit.pty ? { stdin: typed } : locally(visit),
    );
  },
  limits: {
    exec: 'tells no status',
    env: 'sends none',
    // Both with OpenSSH's sshd as well; figures beside the check `rekeyed`.
    '50 MB': 'stops sending at the first full window, and at times loses the end of what it receives fast',
    files: 'has no part for files',
    keepalive: 'sends none',
    rekey: 'hangs, with any server',
    forward: 'forwards nothing',
  },
};
