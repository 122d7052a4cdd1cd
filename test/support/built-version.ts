/** The package as it is installed, under another version number. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = new URL('../..', import.meta.url).pathname;

/** Compiles src/ into FOLDER/VERSION/dist, with what belongs to it. Resolves to that folder. */
export async function buildVersion(folder: string, version: string): Promise<string> {
  const made = join(folder, version);
  await mkdir(made, { recursive: true });
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '-p', join(root, 'tsconfig.build.json'), '--outDir', join(made, 'dist')];
  await promisify(execFile)(process.execPath, args);
  await complete(made, version);
  return made;
}

/** The same code as another version. */
export async function copyVersion(of: string, folder: string, version: string): Promise<string> {
  const made = join(folder, version);
  await cp(join(of, 'dist'), join(made, 'dist'), { recursive: true });
  await complete(made, version);
  return made;
}

async function complete(made: string, version: string): Promise<void> {
  for (const part of ['bin', 'scripts']) await cp(join(root, part), join(made, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(made, 'node_modules'));
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as object;
  await writeFile(join(made, 'package.json'), JSON.stringify({ ...manifest, version }));
}
