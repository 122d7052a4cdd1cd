/** A small server with Go's x/crypto/ssh and gliderlabs/ssh, and the clients in the same program (go/main.go). */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../test/support/setup/cache-folder.ts';
import { childPeer, startChild } from './child-server.ts';
import { generateKey, makeFolder, type Peer, packageVersion } from './peer.ts';

export const go: Peer = {
  name: 'Go (gliderlabs/ssh)',
  version: () =>
    `${/go\d[\d.]+/.exec(execFileSync('go', ['version'], { encoding: 'utf8' }))?.[0]}, x/crypto ${packageVersion('golang-golang-x-crypto-dev')}, gliderlabs/ssh ${packageVersion('golang-github-gliderlabs-ssh-dev')}`,
  ciphers: ['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes128-ctr'],
  async start(key) {
    const folder = makeFolder('go');
    const hostKey = join(folder.path, 'host');
    generateKey(hostKey);
    const child = startChild(goProgram(), ['serve', '-host-key', hostKey, '-authorized-keys', `${key}.pub`]);
    return childPeer({ name: go.name, key, port: Number(await child.firstLine()), child, folder });
  },
};

let built: string | undefined;

/** The path of our Go program, compiled where its sources are new: with Debian's packages, and no module proxy. */
export function goProgram(): string {
  built ??= build();
  return built;
}

function build(): string {
  const sources = join(import.meta.dirname, 'go');
  const hash = createHash('sha256');
  for (const file of globSync('*.go', { cwd: sources }).sort())
    hash.update(readFileSync(join(sources, file)));
  const folder = join(cacheFolder(), 'bench');
  mkdirSync(folder, { recursive: true });
  const program = join(folder, `go-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(program)) return program;
  const env = {
    GO111MODULE: 'off',
    GOPATH: '/usr/share/gocode',
    GOCACHE: join(cacheFolder(), 'go-build'),
    // It runs in containers, too.
    CGO_ENABLED: '0',
  };
  execFileSync('go', ['build', '-o', `${program}.${process.pid}`, '.'], {
    cwd: sources,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  renameSync(`${program}.${process.pid}`, program);
  return program;
}
