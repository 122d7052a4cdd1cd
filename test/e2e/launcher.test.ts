/** How the program is started: bin/postern, npm start, the npm package. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Outcome, runProgram } from '../support/ssh-client.ts';

const root = join(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const ownPath = { PATH: '/usr/local/bin:/usr/bin:/bin' };
const freshFolder = () => mkdtempSync(join(tmpdir(), 'postern-launcher-'));

/** A copy of what runs before Node, in a folder that has nothing else. */
function copyLauncher(): string {
  const folder = freshFolder();
  for (const file of ['bin/postern', 'scripts/find-node.sh', 'scripts/prepare.sh']) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    copyFileSync(join(root, file), join(folder, file));
  }
  return folder;
}

/** An executable that stands in a PATH of its own. */
function fakeProgram(name: string, script: string): string {
  const folder = freshFolder();
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return folder;
}

beforeAll(async () => {
  const built = await runProgram('sh', ['scripts/prepare.sh'], { timeoutMs: 300_000 });
  expect(built, built.stderr).toMatchObject({ status: 0 });
}, 300_000);

describe('bin/postern', () => {
  it('is found through links, relative and absolute, and runs on the Node it brings', async () => {
    const folder = freshFolder();
    symlinkSync(join(root, 'bin/postern'), join(folder, 'first'));
    symlinkSync('first', join(folder, 'second'));
    const old = fakeProgram('node', 'echo v20.0.0');
    const env = { PATH: `${old}:${ownPath.PATH}` };
    expect((await runProgram(join(folder, 'second'), ['version'], { env })).text).toBe(
      `postern ${version}\n`,
    );
  });

  it('hands its arguments on as they are', async () => {
    const outcome = await runProgram('bin/postern', ["no such 'command' $HOME"]);
    expect(outcome.stderr).toContain("no such 'command' $HOME");
    expect(outcome.status).toBe(2);
  });

  it.each(['v24.1.0', 'v25.0.0'])('falls back on a Node %s in PATH', async (nodeVersion) => {
    const folder = copyLauncher();
    mkdirSync(join(folder, 'dist'));
    writeFileSync(join(folder, 'dist/main.js'), '');
    const path = fakeProgram('node', `[ "$1" = --version ] && echo ${nodeVersion} || echo "ran $*"`);
    const outcome = await runProgram(join(folder, 'bin/postern'), ['a b'], {
      env: { PATH: `${path}:${ownPath.PATH}` },
    });
    expect(outcome.text).toBe(
      `ran --no-parallel-scavenge --max-semi-space-size=16 --min-semi-space-size=16 --heap-growing-percent=100 ${folder}/dist/main.js a b\n`,
    );
  });

  it.each(['v20.20.2', 'v26.0.0'])('says what to do where only Node %s is there', async (nodeVersion) => {
    const folder = copyLauncher();
    mkdirSync(join(folder, 'dist'));
    writeFileSync(join(folder, 'dist/main.js'), '');
    const path = fakeProgram('node', `echo ${nodeVersion}`);
    const outcome = await runProgram(join(folder, 'bin/postern'), [], {
      env: { PATH: `${path}:${ownPath.PATH}` },
    });
    expect(outcome).toMatchObject({ status: 1, text: '' });
    expect(outcome.stderr).toMatch(/^postern: no Node 24 or 25 found\. Run "npm ci"/);
  });

  it('without dist and without sources it says that the package is broken', async () => {
    const outcome = await runProgram(join(copyLauncher(), 'bin/postern'), []);
    expect(outcome).toMatchObject({ status: 1 });
    expect(outcome.stderr).toContain('dist is missing');
  });
});

describe('scripts/prepare.sh', () => {
  /** A checkout that was installed and built, with an npm that only tells it was called. */
  function preparedCheckout() {
    const folder = copyLauncher();
    for (const path of ['node_modules/.bin', 'src', 'dist'])
      mkdirSync(join(folder, path), { recursive: true });
    for (const path of [
      'package-lock.json',
      'node_modules/.installed-package-lock.json',
      'node_modules/.bin/tsc',
    ]) {
      writeFileSync(join(folder, path), 'same');
    }
    for (const path of ['tsconfig.json', 'tsconfig.build.json', 'src/main.ts', 'dist/.built']) {
      writeFileSync(join(folder, path), '');
    }
    writeFileSync(join(folder, 'scripts/build.sh'), 'echo BUILD; touch dist/.built');
    const npm = fakeProgram('npm', 'echo "NPM $1"');
    const prepare = (): Promise<Outcome> =>
      runProgram('sh', [join(folder, 'scripts/prepare.sh')], { env: { PATH: `${npm}:${ownPath.PATH}` } });
    return { folder, prepare };
  }

  it('does nothing where nothing has changed', async () => {
    const { prepare } = preparedCheckout();
    expect(await prepare()).toMatchObject({ status: 0, text: '', stderr: '' });
  });

  it('installs when package-lock.json has changed', async () => {
    const { folder, prepare } = preparedCheckout();
    writeFileSync(join(folder, 'package-lock.json'), 'changed');
    expect((await prepare()).stderr).toContain('NPM ci');
  });

  it('says who is to run it, where this user may write nothing', async () => {
    const { folder } = preparedCheckout();
    writeFileSync(join(folder, 'package-lock.json'), 'changed');
    chmodSync(folder, 0o555);
    // Root may write anywhere, and leaves that behind first.
    const asStranger = `if (process.getuid() === 0) { process.setgroups([]); process.setgid(65534); process.setuid(65534); }
      process.exitCode = require('node:child_process').spawnSync('sh', [process.argv[1]], { stdio: 'inherit' }).status;`;
    const prepare = join(folder, 'scripts/prepare.sh');
    const refused = await runProgram(process.execPath, ['--eval', asStranger, prepare], { env: ownPath });
    expect(refused.stderr).toBe(
      `postern: ${folder} is to be installed or built, and this user may not write there; let its owner run "${folder}/bin/postern version" once.\n`,
    );
    expect(refused.status).toBe(1);
  });

  it('installs when only what production needs was installed', async () => {
    const { folder, prepare } = preparedCheckout();
    await runProgram('rm', [join(folder, 'node_modules/.bin/tsc')]);
    expect((await prepare()).stderr).toContain('NPM ci');
  });

  it('builds when a source is newer, once', async () => {
    const { folder, prepare } = preparedCheckout();
    await runProgram('touch', ['-d', '+2 seconds', join(folder, 'src/main.ts')]);
    expect((await prepare()).text).toBe('BUILD\n');
    await runProgram('touch', ['-d', '-1 hour', join(folder, 'src/main.ts')]);
    await runProgram('touch', ['-d', '-1 hour', join(folder, 'src')]);
    expect((await prepare()).text).toBe('');
  });
});

describe('npm start', () => {
  /** `npm start` with folders of its own, in a process group as a terminal makes one; resolves when it listens. */
  async function startByNpm(): Promise<{ npm: ChildProcess; output: () => string }> {
    const folder = freshFolder();
    const args = [
      '--ssh-listen',
      '127.0.0.1:0',
      '--data',
      join(folder, 'data'),
      '--hostkeys',
      join(folder, 'keys'),
    ];
    const npm = spawn('npm', ['start', '--', ...args], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    await new Promise<void>((resolve, reject) => {
      const listen = (chunk: Buffer) => {
        output += chunk;
        if (output.includes('listens for SSH')) resolve();
      };
      npm.stdout?.on('data', listen);
      npm.stderr?.on('data', listen);
      npm.once('exit', () => reject(new Error(`npm start ended: ${output}`)));
    });
    return { npm, output: () => output };
  }

  it('builds nothing the second time', async () => {
    const builtAt = statSync(join(root, 'dist/.built')).mtimeMs;
    const outcome = await runProgram('npm', ['start', '--', '--version'], {
      env: { npm_config_loglevel: 'warn' },
    });
    expect(outcome.text).toContain(`postern ${version}`);
    expect(statSync(join(root, 'dist/.built')).mtimeMs).toBe(builtAt);
  });

  it('passes SIGTERM on to the gateway, which ends in good order', async () => {
    const { npm, output } = await startByNpm();
    const ended = once(npm, 'exit');
    npm.kill('SIGTERM');
    expect(await ended, output()).toEqual([0, null]);
  });

  it('ends in good order at Ctrl-C, though both the terminal and npm then signal the gateway', async () => {
    // Which of the two comes first, and whether the gateway still runs then, differs from time to time.
    for (let round = 0; round < 5; round++) {
      const { npm, output } = await startByNpm();
      const ended = once(npm, 'exit');
      process.kill(-(npm.pid as number), 'SIGINT');
      expect(await ended, output()).toEqual([0, null]);
    }
  });
});

describe('the npm package', () => {
  it('contains what it needs to run, and nothing else', async () => {
    const { text } = await runProgram('npm', ['pack', '--dry-run', '--json', '--ignore-scripts']);
    const [{ files }] = JSON.parse(text) as [{ files: { path: string }[] }];
    const others = files.map(({ path }) => path).filter((path) => !/^dist\/[\w/-]+\.js$/.test(path));
    expect(others.sort()).toEqual([
      'ARCHITECTURE.md',
      'CHANGELOG.md',
      'LICENSE',
      'PROTOCOL.md',
      'README.md',
      'SECURITY.md',
      'bin/postern',
      'package.json',
      'scripts/debian-packages.mjs',
      'scripts/find-node.sh',
      'scripts/object-wrap-without-hooks.h',
      'scripts/postinstall.mjs',
      'scripts/postinstall.sh',
    ]);
  });

  it('installed in an empty folder by somebody with an empty home, it runs, with native crypto', async () => {
    const [folder, home] = [freshFolder(), freshFolder()];
    const setting = async (name: string) => (await runProgram('npm', ['config', 'get', name])).text.trim();
    const env = {
      HOME: home,
      npm_config_cache: await setting('cache'),
      npm_config_registry: await setting('registry'),
    };
    const packed = await runProgram('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
      env,
    });
    const tarball = join(folder, packed.text.trim().split('\n').at(-1) as string);
    writeFileSync(join(folder, 'package.json'), '{}');
    const inFolder = (...args: string[]) =>
      runProgram('npm', ['--prefix', folder, ...args], { env, timeoutMs: 300_000 });
    const installed = await inFolder('install', '--no-audit', '--no-fund', tarball);
    expect(installed, installed.stderr).toMatchObject({ status: 0 });
    expect(
      (await runProgram(join(folder, 'node_modules/.bin/postern'), ['version'], { env: ownPath })).text,
    ).toBe(`postern ${version}\n`);
    const probe = "console.log(require('ssh2/lib/protocol/crypto.js').bindingAvailable)";
    const node = join(folder, 'node_modules/.bin/node');
    const probed = await runProgram('env', ['-C', folder, node, '-e', probe]);
    expect(probed.text).toBe('true\n');
  }, 320_000);
});
