import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { ensureDebianPackages, findProgram } from '../../../scripts/debian-packages.mjs';
import { imageProgramsOf } from './programs.ts';

const files = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n',
  'etc/group': 'root:x:0:\napp:x:1000:\n',
};

const folders = { 'root/': 0, 'home/': 0, 'home/app/': 1000, 'tmp/': 0, 'proc/': 0, 'dev/': 0, 'sys/': 0 };

/** busybox with a link for every applet, and two users. */
export const busyboxRootfs = {
  recipe: `1 ${JSON.stringify([files, folders])}`,
  rootfs: async (): Promise<Readable> => {
    const tar = pack();
    const busybox = findBusybox();
    for (const [name, uid] of Object.entries(folders)) {
      tar.entry({ name, type: 'directory', uid, gid: uid, mode: name === 'tmp/' ? 0o1777 : 0o755 });
    }
    for (const [name, content] of Object.entries(files)) tar.entry({ name, mode: 0o644 }, content);
    tar.entry({ name: 'bin/busybox', mode: 0o755 }, readFileSync(busybox));
    const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
    for (const applet of applets.filter((name) => name !== 'busybox')) {
      tar.entry({ name: `bin/${applet}`, type: 'symlink', linkname: 'busybox' });
    }
    tar.finalize();
    return Readable.from(tar);
  },
};

/** Three programs, and nothing that could be called a shell. */
export const noshellRootfs = {
  recipe: '2',
  rootfs: async (): Promise<Readable> => {
    const tar = pack();
    const program = readFileSync(findBusybox());
    tar.entry({ name: 'bin/cat', mode: 0o755 }, program);
    for (const name of ['bin/echo', 'bin/true'])
      tar.entry({ name, type: 'link', linkname: 'bin/cat', mode: 0o755 });
    tar.finalize();
    return Readable.from(tar);
  },
};

/** The statically linked one; a dynamic busybox could not run in an image that holds nothing else. */
function findBusybox(): string {
  ensureDebianPackages(imageProgramsOf.busybox, 'the images of the tests are made with');
  const busybox = findProgram('busybox') as string;
  if (readFileSync(busybox).includes('/ld-linux')) {
    throw new Error(
      `${busybox} is not static, and the images of the tests need one that is: apt-get install busybox-static`,
    );
  }
  return busybox;
}
