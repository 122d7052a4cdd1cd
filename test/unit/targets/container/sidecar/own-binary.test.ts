import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { findOwnBinary, parseLibraries } from '../../../../../src/targets/container/sidecar/own-binary.ts';

describe('the libraries of a program', () => {
  it("are those of glibc's loader, by the names it looks for", () => {
    const listed = `\tlinux-vdso.so.1 (0x00007ffd)
\tlibdl.so.2 => /lib/x86_64-linux-gnu/libdl.so.2 (0x00007f4a)
\tlibstdc++.so.6 => /opt/my libs/libstdc++.so.6 (0x00007f4b)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f4c)\n`;
    expect([...parseLibraries(listed, '/lib64/ld-linux-x86-64.so.2')]).toEqual([
      ['libdl.so.2', '/lib/x86_64-linux-gnu/libdl.so.2'],
      ['libstdc++.so.6', '/opt/my libs/libstdc++.so.6'],
    ]);
  });

  it("are those of musl's, whose loader is the C library", () => {
    const listed = `\t/lib/ld-musl-x86_64.so.1 (0x7f00)
\tlibgcc_s.so.1 => /usr/lib/libgcc_s.so.1 (0x7f01)
\tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f00)\n`;
    expect([...parseLibraries(listed, '/lib/ld-musl-x86_64.so.1').keys()]).toEqual([
      'libgcc_s.so.1',
      'libc.musl-x86_64.so.1',
    ]);
  });

  it('of this very Node are all there, and so is its loader', async () => {
    const { node, loader, libraries } = await findOwnBinary();
    expect(libraries.has('libc.so.6')).toBe(true);
    for (const path of [node, loader, ...libraries.values()]) {
      expect((await readFile(path)).toString('latin1', 0, 4)).toBe('\x7fELF');
    }
  });

  it('a script is no such program', async () => {
    await expect(findOwnBinary('/usr/bin/ldd')).rejects.toThrow('no ELF program');
  });
});
