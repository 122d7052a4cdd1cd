/** rclone's sftp backend: files only; it hashes them by commands of its own. */
import { runProgram } from '../../support/ssh-client.ts';
import { type Client, filesOnly, type Visit } from './client.ts';
import { printed } from './driver.ts';

const rclone = (visit: Visit, from: string, to: string) =>
  runProgram(
    'rclone',
    [
      ...['copyto', '--config', '/dev/null', '--sftp-host', '127.0.0.1', '--sftp-port', String(visit.port)],
      ...['--sftp-user', visit.login, '--sftp-key-file', visit.key],
      ...['--sftp-known-hosts-file', visit.knownHosts, '--ignore-times', from, to],
    ],
    { env: { HOME: visit.folder, SSH_AUTH_SOCK: '' } },
  );

export const rcloneClient: Client = {
  name: 'rclone',
  version: async () => /rclone v(\S+)/.exec(await printed('rclone', 'version'))?.[1] ?? '',
  put: (visit, local, remote) => rclone(visit, local, `:sftp:${remote}`),
  get: (visit, remote, local) => rclone(visit, `:sftp:${remote}`, local),
  limits: {
    exec: filesOnly,
    pty: filesOnly,
    env: filesOnly,
    forward: filesOnly,
    keepalive: 'sends none',
    rekey: 'asks only after 1 GB',
  },
};
