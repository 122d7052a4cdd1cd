/** Compiled drivers, kept in the cache for as long as their sources stay the same. */
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../support/setup/cache-folder.ts';
import { recipeHash } from '../../support/setup/recipe-hash.ts';
import { runProgram } from '../../support/ssh-client.ts';

export interface Compilation {
  readonly name: string;
  readonly sources: readonly string[];
  /** The compiler and its arguments; it writes into the folder `output`. */
  readonly command: (output: string) => readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** The folder that holds what was compiled. */
export async function compiled({ name, sources, command, env = {} }: Compilation): Promise<string> {
  const contents = sources.map((source) => readFileSync(source, 'utf8'));
  const kept = join(cacheFolder(), `${name}-${recipeHash(`${process.arch} ${command('')} ${contents}`)}`);
  if (existsSync(kept)) return kept;
  const output = await mkdtemp(join(cacheFolder(), `${name}-`));
  const [compiler, ...args] = command(output);
  const { status, text, stderr } = await runProgram(compiler as string, args, { env, timeoutMs: 120_000 });
  if (status !== 0) {
    rmSync(output, { recursive: true, force: true });
    throw new Error(`${name} could not be compiled:\n${text}${stderr}`);
  }
  if (!existsSync(kept)) renameSync(output, kept);
  return kept;
}
