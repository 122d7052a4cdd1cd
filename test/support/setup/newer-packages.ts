/**
 * Programs of Debian's next release beside those of this machine's: the newest OpenSSH with the libraries
 * it was built for, and what runs anywhere. They are unpacked into the cache and never installed.
 */
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache-folder.ts';
import { ownRelease } from './own-release.ts';
import { recipeHash } from './recipe-hash.ts';
import { runToEnd } from './run-to-end.ts';

const openssh = ['openssh-client', 'libc6', 'libedit2', 'libselinux1', 'libssl3t64', 'zlib1g', 'libtinfo6'];
const itsLibraries = ['libbsd0', 'libmd0', 'libpcre2-8-0', 'libzstd1', 'libgcc-s1'];
/** Python and Java, which take this machine's interpreters. */
const anywhere = ['ssh-audit', 'libjsch-java'];
const packages = [...openssh, ...itsLibraries, ...anywhere];
const opensshPrograms = ['ssh', 'scp', 'sftp', 'ssh-keygen', 'ssh-keyscan', 'ssh-agent', 'ssh-add'];

const root = join(cacheFolder(), `debian-testing-${recipeHash(`2 ${packages}`)}`);

/** Paths within what was unpacked. */
export const newer = {
  /** A folder with `ssh`, `scp`, `sftp` and their kin; give sftp and scp its `ssh` with `-S`. */
  openssh: join(root, 'bin'),
  sshAudit: join(root, 'usr/bin/ssh-audit'),
  pythonPath: join(root, 'usr/lib/python3/dist-packages'),
  jsch: join(root, 'usr/share/java/jsch.jar'),
} as const;

/** Fetches and unpacks them where that was not yet done: ten seconds, once. */
export function ensureNewerPackages(): void {
  if (existsSync(root)) return;
  console.error(`postern: unpacking newer clients for the tests (once; kept in ${root}) …`);
  const work = mkdtempSync(join(cacheFolder(), 'debian-testing-'));
  try {
    const unpacked = join(work, 'root');
    fetchPackages(work);
    for (const file of globSync('*.deb', { cwd: work })) {
      runToEnd('dpkg', ['-x', join(work, file), unpacked]);
    }
    writeLaunchers(unpacked);
    renameSync(unpacked, root);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** An apt of its own: it sees nothing of this machine's lists and packages, and changes none of them. */
function fetchPackages(work: string): void {
  const mirror = ownRelease().mirror ?? 'http://deb.debian.org/debian';
  for (const folder of ['lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(work, folder), { recursive: true });
  }
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const signedBy = existsSync(keyring) ? `[signed-by=${keyring}] ` : '';
  writeFileSync(join(work, 'sources.list'), `deb ${signedBy}${mirror} testing main\n`);
  writeFileSync(join(work, 'status'), '');
  const options = [
    `Dir::Etc::sourcelist=${work}/sources.list`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::State::lists=${work}/lists`,
    `Dir::State::status=${work}/status`,
    `Dir::Cache=${work}/cache`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  runToEnd('apt-get', [...options, '-q', 'update']);
  runToEnd('apt-get', [...options, '-q', 'download', ...packages], work);
}

/** They are started by the loader they were built for, with their own libraries. */
function writeLaunchers(unpacked: string): void {
  const [loader] = globSync('usr/lib/*/ld-linux*', { cwd: unpacked });
  const libraries = readdirSync(join(unpacked, 'usr/lib')).find((name) => name.endsWith('-linux-gnu'));
  if (loader === undefined || libraries === undefined) throw new Error('no loader in the unpacked packages');
  mkdirSync(join(unpacked, 'bin'));
  for (const program of opensshPrograms) {
    const launcher = join(unpacked, 'bin', program);
    const command = `${root}/${loader} --library-path ${root}/usr/lib/${libraries} --argv0 "$0" ${root}/usr/bin/${program}`;
    writeFileSync(launcher, `#!/bin/sh\nexec ${command} "$@"\n`);
    chmodSync(launcher, 0o755);
  }
}
