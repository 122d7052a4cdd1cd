import { createReadStream, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { ensureDebianPackages } from '../../../scripts/debian-packages.mjs';
import { cacheFolder } from './cache-folder.ts';
import { ownRelease } from './own-release.ts';
import { imageProgramsOf } from './programs.ts';
import { recipeHash } from './recipe-hash.ts';
import { runToEnd } from './run-to-end.ts';

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
    if (!existsSync(kept)) bootstrap(suite, mirror === undefined ? [] : [mirror], kept);
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
    runToEnd('debootstrap', ['--variant=minbase', include, suite, folder, ...mirror]);
    runToEnd('chroot', [folder, '/bin/sh', '-euc', accounts]);
    runToEnd('tar', ['-C', folder, '--numeric-owner', '-cf', `${kept}.partial`, '.']);
    renameSync(`${kept}.partial`, kept);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
