/** PuTTY: plink for commands, psftp up, pscp down. What has no option is set in a saved session. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Outcome, type RunOptions, runProgram } from '../../support/ssh-client.ts';
import { type Client, locally, type Visit } from './client.ts';

/** A saved session as PuTTY keeps it on Unix, and the key in PuTTY's format. */
async function prepare(visit: Visit): Promise<{ args: string[]; env: NodeJS.ProcessEnv }> {
  const key = join(visit.folder, 'key.ppk');
  const converted = await runProgram('puttygen', [visit.key, '-O', 'private', '-o', key]);
  if (converted.status !== 0) throw new Error(converted.stderr);
  await mkdir(join(visit.folder, 'sessions'), { recursive: true });
  const settings = {
    HostName: '127.0.0.1',
    PortNumber: visit.port,
    Protocol: 'ssh',
    UserName: visit.login,
    PublicKeyFile: key,
    Environment: Object.entries(visit.env ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
    PingIntervalSecs: visit.keepaliveSeconds ?? 0,
    RekeyBytes: visit.rekeyBytes ?? '1G',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(visit.folder, 'sessions', 'gateway'), lines.join(''));
  return {
    args: ['-batch', '-noagent', '-hostkey', visit.hostKeyFingerprint],
    env: { PUTTYDIR: visit.folder },
  };
}

const run = async (
  visit: Visit,
  program: string,
  rest: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> => {
  const { args, env } = await prepare(visit);
  return runProgram(program, [...args, ...rest], { env, ...options });
};

export const putty: Client = {
  name: 'PuTTY plink, psftp, pscp',
  version: async () => /Release (\S+)/.exec((await runProgram('plink', ['-V'])).text)?.[1] ?? '',
  exec: (visit, command) =>
    run(visit, 'plink', [visit.pty ? '-t' : '-T', 'gateway', command], locally(visit)),
  forward: (visit, port) => run(visit, 'plink', ['-nc', `localhost:${port}`, 'gateway'], locally(visit)),
  put: (visit, local, remote) => run(visit, 'psftp', ['gateway'], { stdin: `put ${local} ${remote}\n` }),
  get: (visit, remote, local) => run(visit, 'pscp', [`gateway:${remote}`, local]),
  limits: {},
};
