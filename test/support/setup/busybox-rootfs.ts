import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { type Pack, pack } from 'tar-stream';
import { ensureDebianPackages, findProgram } from '../../../scripts/debian-packages.mjs';
import { imageProgramsOf } from './programs.ts';

interface Users {
  readonly passwd: string;
  readonly group: string;
  /** Home folders to make, with the user id that owns each. */
  readonly homes: Readonly<Record<string, number>>;
}

const appUser: Users = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n',
  group: 'root:x:0:\napp:x:1000:\n',
  homes: { 'home/app/': 1000 },
};

/** Somebody in several groups, somebody whose home is not there, and somebody whose shell is not. */
const manyUsers: Users = {
  passwd: `root:x:0:0:root:/root:/bin/sh
alice:x:1000:1000::/home/alice:/bin/sh
homeless:x:1001:1001::/home/homeless:/bin/sh
oddshell:x:1002:1002::/home/alice:/bin/absent
`,
  group: `root:x:0:
alice:x:1000:
homeless:x:1001:
oddshell:x:1002:
staff:x:50:alice
audio:x:29:bob,alice
`,
  homes: { 'home/alice/': 1000 },
};

const folders = ['root/', 'home/', 'tmp/', 'proc/', 'dev/', 'sys/'];

/** busybox with a link for every applet, and some users. */
const rootfsWith = (users: Users) => ({
  recipe: `2 ${JSON.stringify([folders, users])}`,
  rootfs: async (): Promise<Readable> => {
    const tar = pack();
    for (const name of folders) {
      tar.entry({ name, type: 'directory', mode: name === 'tmp/' ? 0o1777 : 0o755 });
    }
    for (const [name, uid] of Object.entries(users.homes)) {
      tar.entry({ name, type: 'directory', uid, gid: uid, mode: 0o755 });
    }
    tar.entry({ name: 'etc/passwd', mode: 0o644 }, users.passwd);
    tar.entry({ name: 'etc/group', mode: 0o644 }, users.group);
    addApplets(tar);
    tar.finalize();
    return Readable.from(tar);
  },
});

export const busyboxRootfs = rootfsWith(appUser);
export const usersRootfs = rootfsWith(manyUsers);

/** A few programs, and nothing that could be called a shell: busybox acts by the name it is called by. */
export const noshellRootfs = {
  recipe: '3',
  rootfs: async (): Promise<Readable> => {
    const tar = pack();
    tar.entry({ name: 'bin/cat', mode: 0o755 }, readFileSync(findBusybox()));
    for (const name of ['bin/echo', 'bin/sleep', 'bin/true']) {
      tar.entry({ name, type: 'link', linkname: 'bin/cat', mode: 0o755 });
    }
    tar.finalize();
    return Readable.from(tar);
  },
};

function addApplets(tar: Pack): void {
  const busybox = findBusybox();
  tar.entry({ name: 'bin/busybox', mode: 0o755 }, readFileSync(busybox));
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const applet of applets.filter((name) => name !== 'busybox')) {
    tar.entry({ name: `bin/${applet}`, type: 'symlink', linkname: 'busybox' });
  }
}

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
