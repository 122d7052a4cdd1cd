/** curl over libssh2, which is what Debian's is built with: files only. */
import { runProgram } from '../../support/ssh-client.ts';
import { type Client, filesOnly, type Visit } from './client.ts';
import { printed } from './driver.ts';

const curl = (visit: Visit, remote: string, ...rest: string[]) =>
  runProgram('/usr/bin/curl', [
    ...['--disable', '--silent', '--show-error', '--key', visit.key, '--pubkey', `${visit.key}.pub`],
    ...['--user', `${visit.login}:`, '--hostpubsha256', visit.hostKeyFingerprint.replace('SHA256:', '')],
    ...[`sftp://127.0.0.1:${visit.port}${remote}`, ...rest],
  ]);

export const curlClient: Client = {
  name: 'curl (libssh2)',
  version: async () => {
    const text = await printed('/usr/bin/curl', '--version');
    return `${/^curl (\S+)/.exec(text)?.[1]}, ${/libssh2\/(\S+)/.exec(text)?.[1]}`;
  },
  put: (visit, local, remote) => curl(visit, remote, '--upload-file', local),
  get: (visit, remote, local) => curl(visit, remote, '--output', local),
  limits: {
    rsa: 'signs with SHA-1 only (libssh2 before 1.11)',
    exec: filesOnly,
    pty: filesOnly,
    env: filesOnly,
    forward: filesOnly,
    keepalive: 'sends none',
    rekey: 'never asks',
  },
};
