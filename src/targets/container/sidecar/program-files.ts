/** What runs inside containers, as source: the programs in `inside/` and every file of ours that they load. */
import { readdir, readFile } from 'node:fs/promises';

const insideFolder = new URL('inside/', import.meta.url);
/** `src/`, or where it was compiled to. */
const root = new URL('../../../', import.meta.url);
/** A type is gone when the program runs. */
const importLine = /^(?:import|export)\s(?!type\s)[^;]*?\bfrom\s+'(\.[^']+)'/gm;

export interface ProgramFiles {
  /** By path below `src/`. */
  readonly texts: ReadonlyMap<string, string>;
  /** Path of a program in `inside/` by its name: `sidecar`. */
  readonly paths: ReadonlyMap<string, string>;
}

/** Throws what the disk throws. */
export async function readProgramFiles(): Promise<ProgramFiles> {
  const names = (await readdir(insideFolder)).filter((name) => /\.[jt]s$/.test(name));
  const texts = new Map<string, string>();
  const waiting = names.map((name) => new URL(name, insideFolder));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const path = file.href.slice(root.href.length);
    if (texts.has(path)) continue;
    const text = await readFile(file, 'utf8');
    texts.set(path, text);
    for (const [, imported = ''] of text.matchAll(importLine)) waiting.push(new URL(imported, file));
  }
  const pathOf = (name: string) => new URL(name, insideFolder).href.slice(root.href.length);
  return {
    texts: new Map([...texts].toSorted()),
    paths: new Map(names.map((name) => [name.replace(/\.[jt]s$/, ''), pathOf(name)])),
  };
}
