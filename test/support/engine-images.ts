/** Images for tests, built without a registry: the machine's static busybox on scratch, and a Debian. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const busyboxImage = 'postern-test/busybox:latest';
export const debianImage = 'postern-test/debian:latest';
/** Two programs and no shell: busybox acts by the name it is called by. */
export const noShellImage = 'postern-test/noshell:latest';

const busybox = '/bin/busybox';
const run = promisify(execFile);

const passwd = `root:x:0:0:root:/root:/bin/sh
alice:x:1000:1000::/home/alice:/bin/sh
homeless:x:1001:1001::/home/homeless:/bin/sh
oddshell:x:1002:1002::/home/alice:/bin/absent
`;
const group = `root:x:0:
alice:x:1000:
homeless:x:1001:
oddshell:x:1002:
staff:x:50:alice
audio:x:29:bob,alice
`;

/** Makes what is missing. Throws, saying what to do, when the Debian is. */
export async function ensureEngineImages(): Promise<void> {
  if (!(await exists(busyboxImage))) await importFolder(busyboxImage, fillBusybox);
  if (!(await exists(noShellImage))) await importFolder(noShellImage, fillNoShell);
  if (!(await exists(debianImage))) {
    const root = process.env['POSTERN_TEST_DEBIAN_ROOT'];
    if (!root)
      throw new Error(
        `there is no image ${debianImage}; set POSTERN_TEST_DEBIAN_ROOT to a debootstrapped folder`,
      );
    await importTree(debianImage, root);
  }
}

async function exists(image: string): Promise<boolean> {
  return run('docker', ['image', 'inspect', image]).then(
    () => true,
    () => false,
  );
}

function fillBusybox(root: string): void {
  for (const folder of ['bin', 'etc', 'root', 'home/alice', 'proc', 'sys', 'dev', 'tmp']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  chmodSync(join(root, 'tmp'), 0o1777);
  cpSync(busybox, join(root, 'bin/busybox'), { dereference: true });
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  for (const applet of applets) if (applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
  writeFileSync(join(root, 'etc/passwd'), passwd);
  writeFileSync(join(root, 'etc/group'), group);
}

function fillNoShell(root: string): void {
  mkdirSync(join(root, 'bin'));
  for (const name of ['cat', 'sleep', 'echo'])
    cpSync(busybox, join(root, 'bin', name), { dereference: true });
}

async function importFolder(image: string, fill: (root: string) => void): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'postern-image-'));
  try {
    chmodSync(root, 0o755);
    fill(root);
    await importTree(image, root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function importTree(image: string, root: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const tar = spawn('tar', ['-C', root, '-c', '--owner=0', '--group=0', '.'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const load = spawn('docker', ['import', '-', image], { stdio: [tar.stdout, 'ignore', 'inherit'] });
    load.on('error', reject);
    load.on('exit', (status) =>
      status === 0 ? resolve() : reject(new Error(`docker import ended with ${status}`)),
    );
  });
}
