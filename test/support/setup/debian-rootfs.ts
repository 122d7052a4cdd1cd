import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { ensureDebianPackages } from '../../../scripts/debian-packages.mjs';
import { cacheFolder } from './cache-folder.ts';
import { imageProgramsOf } from './programs.ts';
import { recipeHash } from './recipe-hash.ts';

const packages = ['openssh-sftp-server', 'openssh-client', 'procps'];

const accounts = `
useradd --create-home --uid 1000 --shell /bin/bash app
groupadd --gid 1500 extra
usermod --append --groups extra app
rm -rf /var/cache/apt/* /var/lib/apt/lists/* /usr/share/doc /usr/share/man /usr/share/locale
`;

const recipe = `1 ${packages} ${accounts}`;

/** A minimal Debian of the machine's own release, by debootstrap: a minute or two, then kept as a tar file. */
export const debianRootfs = {
  recipe,
  rootfs: async (): Promise<Readable> => {
    const { suite, mirror } = ownRelease();
    const kept = join(cacheFolder(), `debian-${suite}-${recipeHash(recipe)}.tar`);
    if (!existsSync(kept)) bootstrap(suite, mirror, kept);
    return createReadStream(kept);
  },
};

function bootstrap(suite: string, mirror: readonly string[], kept: string): void {
  if (process.getuid?.() !== 0) {
    throw new Error(
      'the Debian image of the tests is made with debootstrap, which needs root: run npm test as root once',
    );
  }
  ensureDebianPackages(imageProgramsOf.debian, 'the images of the tests are made with');
  console.error(`postern: making the Debian image of the tests (once; kept in ${cacheFolder()}) …`);
  const folder = mkdtempSync(join(cacheFolder(), 'debootstrap-'));
  try {
    const include = `--include=${packages.join(',')}`;
    run('debootstrap', ['--variant=minbase', include, suite, folder, ...mirror]);
    run('chroot', [folder, '/bin/sh', '-euc', accounts]);
    run('tar', ['-C', folder, '--numeric-owner', '-cf', `${kept}.partial`, '.']);
    renameSync(`${kept}.partial`, kept);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The release this machine runs, and where its apt gets it; debootstrap has a mirror of its own otherwise. */
function ownRelease(): { suite: string; mirror: readonly string[] } {
  const suite = /^VERSION_CODENAME=(.+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'bookworm';
  const format = ['--format', '$(REPO_URI) $(RELEASE)', 'Created-By: Packages', 'Component: main'];
  const lines = run('apt-get', ['indextargets', ...format]).split('\n');
  const line = lines.find((candidate) => candidate.endsWith(` ${suite}`));
  return { suite, mirror: line === undefined ? [] : [line.split(' ')[0] as string] };
}

/** What the program prints; its last lines are in the error when it fails. */
function run(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, LC_ALL: 'C' },
    });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} failed:\n${`${stdout}${stderr}`.slice(-2000)}`);
  }
}
