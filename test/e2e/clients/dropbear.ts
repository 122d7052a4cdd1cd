/** dropbear's dbclient, and OpenSSH's sftp over it: dropbear brings no file transfer of its own. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../../support/ssh-client.ts';
import { type Client, locally, type Visit } from './client.ts';
import { runInTerminal } from './terminal.ts';

async function prepare(visit: Visit): Promise<{ args: string[]; env: NodeJS.ProcessEnv }> {
  const key = join(visit.folder, 'key.dropbear');
  const converted = await runProgram('dropbearconvert', ['openssh', 'dropbear', visit.key, key]);
  if (converted.status !== 0) throw new Error(converted.stderr);
  await mkdir(join(visit.folder, '.ssh'), { recursive: true });
  // dbclient writes no port into known_hosts.
  const knownHosts = (await readFile(visit.knownHosts, 'utf8')).replace(/^\S+/gm, '127.0.0.1');
  await writeFile(join(visit.folder, '.ssh', 'known_hosts'), knownHosts);
  const keepalive = visit.keepaliveSeconds === undefined ? [] : ['-K', String(visit.keepaliveSeconds)];
  return {
    args: ['-p', String(visit.port), '-i', key, '-l', visit.login, ...keepalive],
    env: { HOME: visit.folder },
  };
}

async function sftp(visit: Visit, batch: string) {
  const { args, env } = await prepare(visit);
  const transport = ['dbclient', ...args, '-s', '127.0.0.1', 'sftp'].join(' ');
  return runProgram('sftp', ['-b', '-', '-D', transport], { stdin: batch, env });
}

export const dropbear: Client = {
  name: 'dropbear dbclient',
  version: async () => /v(\S+)/.exec((await runProgram('dbclient', ['-V'])).stderr)?.[1] ?? '',
  exec: async (visit, command) => {
    const { args, env } = await prepare(visit);
    const run = visit.pty ? runInTerminal : runProgram;
    return run('dbclient', [...args, visit.pty ? '-t' : '-T', '127.0.0.1', command], {
      env,
      ...locally(visit),
    });
  },
  forward: async (visit, port) => {
    const { args, env } = await prepare(visit);
    return runProgram('dbclient', [...args, '-B', `localhost:${port}`, '127.0.0.1'], {
      env,
      ...locally(visit),
    });
  },
  put: (visit, local, remote) => sftp(visit, `put ${local} ${remote}\n`),
  get: (visit, remote, local) => sftp(visit, `get ${remote} ${local}\n`),
  limits: { env: 'sends none', rekey: 'asks only after 1 GB' },
};
