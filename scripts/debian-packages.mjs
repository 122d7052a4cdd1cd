// Programs from Debian packages: installs them where that is possible, otherwise says which to install.
// JavaScript, because it also runs inside node_modules, where Node strips no types.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Folders that a person's PATH may lack, but where Debian puts servers. */
const systemFolders = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];

/**
 * The path of `program`, if it is to be had.
 * @param {string} program
 * @returns {string | undefined}
 */
export function findProgram(program) {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...systemFolders];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

/**
 * Sees to it that every program is there. `programs` maps each to the Debian package that holds it; a
 * name with a slash is a file. Throws one sentence that says what to install.
 * @param {Readonly<Record<string, string>>} programs
 * @param {string} purpose what they are for: `the tests need`
 */
export function ensureDebianPackages(programs, purpose) {
  let missing = missingPackages(programs);
  if (missing.length === 0) return;
  const advice = `${purpose} ${missing.join(', ')}: apt-get install ${missing.join(' ')}`;
  if (process.getuid?.() !== 0 || !findProgram('apt-get')) throw new Error(advice);
  console.error(`postern: ${purpose} ${missing.join(', ')}: installing …`);
  // A repository that does not answer must not stop us: apt-get install tells whether it mattered.
  aptGet(['update']);
  const { status, output } = aptGet(['install', '--yes', '--no-install-recommends', ...missing]);
  missing = missingPackages(programs);
  if (status !== 0 || missing.length > 0)
    throw new Error(`${advice}\napt-get could not:\n${output.slice(-2000)}`);
}

/** @param {Readonly<Record<string, string>>} programs */
function missingPackages(programs) {
  const there = (/** @type {string} */ name) => (name.includes('/') ? existsSync(name) : findProgram(name));
  return [
    ...new Set(
      Object.keys(programs)
        .filter((name) => !there(name))
        .map((name) => programs[name] ?? name),
    ),
  ];
}

/** @param {readonly string[]} args */
function aptGet(args) {
  const { status, stdout, stderr } = spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=600', '-q', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return { status, output: `${stdout}${stderr}` };
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
