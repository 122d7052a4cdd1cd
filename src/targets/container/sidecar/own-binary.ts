/** The gateway's own Node, as files that run without anything else: the binary and the libraries it loads. */
import { execFile } from 'node:child_process';
import { open, realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface OwnBinary {
  readonly node: string;
  /** Where the binary says its loader is; it must be there in the image too. */
  readonly loader: string;
  /** By the name that the loader looks for. */
  readonly libraries: ReadonlyMap<string, string>;
}

const programInterpreter = 3;

/** Throws where this is no dynamically linked ELF program, or its loader does not tell what it loads. */
export async function findOwnBinary(execPath = process.execPath): Promise<OwnBinary> {
  const node = await realpath(execPath);
  const loader = await readLoader(node);
  const { stdout } = await run(loader, ['--list', node], { timeout: 10_000 });
  return { node, loader, libraries: parseLibraries(stdout, loader) };
}

/** Lines of `ld.so --list`: `NAME => PATH (ADDRESS)`; the kernel's own and the loader itself have no such line, or need none. */
export function parseLibraries(listed: string, loader: string): ReadonlyMap<string, string> {
  const found = listed.split('\n').flatMap((line): [string, string][] => {
    const [, name, path] = /^\s*(\S+) => (\/\S.*) \(0x[0-9a-f]+\)$/.exec(line) ?? [];
    return name && path ? [[basename(name), path]] : [];
  });
  // musl's loader is its C library too, and lists itself under both names.
  return new Map(found.filter(([name]) => name !== basename(loader)));
}

/** The segment PT_INTERP of a 64-bit little-endian ELF file, elf(5). */
async function readLoader(path: string): Promise<string> {
  const file = await open(path);
  try {
    const read = async (at: number, length: number) =>
      (await file.read(Buffer.alloc(length), 0, length, at)).buffer;
    const header = await read(0, 64);
    if (header.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') throw new Error(`${path} is no ELF program`);
    const start = Number(header.readBigUInt64LE(32));
    const size = header.readUInt16LE(54);
    const count = header.readUInt16LE(56);
    for (let index = 0; index < count; index++) {
      const entry = await read(start + index * size, size);
      if (entry.readUInt32LE(0) !== programInterpreter) continue;
      const text = await read(Number(entry.readBigUInt64LE(8)), Number(entry.readBigUInt64LE(32)));
      return text.toString('utf8').replace(/\0.*$/s, '');
    }
    throw new Error(`${path} names no loader`);
  } finally {
    await file.close();
  }
}
