import { join } from 'node:path';
import { newer } from '../../support/setup/newer-packages.ts';
import { runProgram } from '../../support/ssh-client.ts';
import { type Client, locally, type Visit } from './client.ts';

const options = (visit: Visit): string[] => [
  ...['-F', '/dev/null', '-i', visit.key, '-o', 'IdentitiesOnly=yes', '-o', 'LogLevel=ERROR'],
  ...['-o', `UserKnownHostsFile=${visit.knownHosts}`, '-o', 'StrictHostKeyChecking=yes'],
  ...(visit.keepaliveSeconds === undefined ? [] : ['-o', `ServerAliveInterval=${visit.keepaliveSeconds}`]),
  ...(visit.rekeyBytes === undefined ? [] : ['-o', `RekeyLimit=${visit.rekeyBytes}`]),
  ...Object.entries(visit.env ?? {}).flatMap(([name, value]) => ['-o', `SetEnv=${name}="${value}"`]),
];

/** The OpenSSH whose programs are in `folder`; it transfers with sftp one way and scp the other. */
const openssh = (name: string, folder: string): Client => {
  const ssh = join(folder, 'ssh');
  const remotePath = (visit: Visit, path: string) => `${visit.login}@127.0.0.1:${path}`;
  const port = (visit: Visit) => ['-S', ssh, '-P', String(visit.port)];
  return {
    name,
    version: async () => /OpenSSH_(\S+?)p\d/.exec((await runProgram(ssh, ['-V'])).stderr)?.[1] ?? '',
    exec: (visit, command) =>
      runProgram(
        ssh,
        [
          ...options(visit),
          ...(visit.pty ? ['-tt'] : []),
          ...['-p', String(visit.port), `${visit.login}@127.0.0.1`, '--', command],
        ],
        locally(visit),
      ),
    forward: (visit, to) =>
      runProgram(
        ssh,
        [...options(visit), '-W', `localhost:${to}`, '-p', String(visit.port), `${visit.login}@127.0.0.1`],
        locally(visit),
      ),
    put: (visit, local, remote) =>
      runProgram(
        join(folder, 'sftp'),
        [...options(visit), ...port(visit), '-b', '-', `${visit.login}@127.0.0.1`],
        { stdin: `put ${local} ${remote}\n` },
      ),
    get: (visit, remote, local) =>
      runProgram(join(folder, 'scp'), [...options(visit), ...port(visit), remotePath(visit, remote), local]),
    limits: {},
  };
};

export const opensshOfDebian = openssh('OpenSSH', '/usr/bin');
export const newestOpenssh = openssh('OpenSSH, the newest', newer.openssh);
