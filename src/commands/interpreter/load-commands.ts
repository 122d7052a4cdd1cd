/** Finds the lobby's commands: every file below commands/ that exports `command`. One more file is one more command. */
import { readdir } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Command } from '../command.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));
/** `.ts` where Node strips types, `.js` when built: whatever this file is. */
const extension = extname(import.meta.filename);

/** Machinery, not commands. */
const otherFolders = new Set(['interpreter', 'prompt']);

/** All commands in order of their path. Throws when two have one path, or one is not where its path says. */
export async function loadCommands(): Promise<readonly Command[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && extname(entry.name) === extension && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !otherFolders.has(relative(folder, file).split(sep)[0] as string));
  const loaded = await Promise.all(files.map(loadCommand));
  const commands = loaded.filter((command) => command !== undefined);
  return commands.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** The command a file exports, if it exports one. */
async function loadCommand(file: string): Promise<Command | undefined> {
  const module = (await import(pathToFileURL(file).href)) as { command?: Command };
  if (module.command === undefined) return undefined;
  const expected = relative(folder, file).slice(0, -extension.length).split(sep).join(' ');
  if (nameOf(module.command) !== expected) {
    throw new Error(`${file} exports the command "${nameOf(module.command)}"; its place says "${expected}".`);
  }
  return module.command;
}

/** `ssh-key add`. */
export const nameOf = (command: Command): string => command.path.join(' ');
