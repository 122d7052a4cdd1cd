/** Our SFTP server over Node's file operations, beside OpenSSH's own, as a user without rights: the same packets, the same answers. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packet, text, uint32 } from '../support/sftp-packets.ts';

const script = new URL('../support/sftp-server-by-node.ts', import.meta.url).pathname;
const servers = {
  openssh: ['/usr/lib/openssh/sftp-server'],
  ours: [process.execPath, script],
} as const;
const nobody = 65_534;
const asNobody = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups', '--'];

const version = text(Buffer.concat([Buffer.from([1]), uint32(3)]));
const uint64 = (value: number) => Buffer.concat([uint32(0), uint32(value)]);
const flags = { read: 1, write: 2, create: 8, truncate: 16 };
const sizeOf = (bytes: number) => Buffer.concat([uint32(1), uint64(bytes)]);
const modeOf = (mode: number) => Buffer.concat([uint32(4), uint32(mode)]);
const nothing = uint32(0);
/** How each server calls the first file that is opened. */
const handles = { openssh: Buffer.from([0, 0, 0, 0]), ours: Buffer.from('00000001') };

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

type Ask = (handle: Buffer, folder: string) => readonly Buffer[];

/** A folder of nobody's, with a file of root's that all may write, in a folder from which only root may remove it. */
async function prepare(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-packets-'));
  await mkdir(join(folder, 'sticky'));
  await chmod(join(folder, 'sticky'), 0o1777);
  await writeFile(join(folder, 'sticky', 'theirs'), 'theirs');
  await chmod(join(folder, 'sticky', 'theirs'), 0o666);
  await writeFile(join(folder, 'unreadable'), 'secret');
  await chmod(join(folder, 'unreadable'), 0o200);
  for (const each of ['unreadable', '']) await chown(join(folder, each), nobody, nobody);
  return folder;
}

/** Type of each answer, and the code of a status, by id. */
function readAnswers(bytes: Buffer): readonly string[] {
  const told: string[] = [];
  for (let rest = bytes; rest.length > 4; rest = rest.subarray(4 + rest.readUInt32BE(0))) {
    if (rest.length < 4 + rest.readUInt32BE(0)) break;
    const type = rest[4];
    const status = type === 101 ? ` ${rest.readUInt32BE(9)}` : '';
    if (type !== 2) told.push(`${rest.readUInt32BE(5)}: ${type}${status}`);
  }
  return told;
}

/** OpenSSH's does not answer what is left at the end of its input: that comes when all is answered. */
async function answersOf(server: keyof typeof servers, ask: Ask) {
  const folder = await prepare();
  const packets = ask(text(handles[server]), folder);
  const child = spawn('setpriv', [...asNobody, ...servers[server]], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.write(Buffer.concat([version, ...packets]));
  let bytes = Buffer.alloc(0);
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk]);
    if (readAnswers(bytes).length === packets.length) child.stdin.end();
  }
  return { folder, told: readAnswers(bytes) };
}

async function compare(ask: Ask): Promise<string> {
  const [theirs, ours] = await Promise.all([answersOf('openssh', ask), answersOf('ours', ask)]);
  expect(ours.told).toEqual(theirs.told);
  const contents = async ({ folder }: { folder: string }) =>
    Promise.all(
      (await readdir(folder, { recursive: true })).toSorted().map(async (name) => {
        const facts = await stat(join(folder, name));
        return [name, facts.mode, facts.isFile() && sha256(await readFile(join(folder, name)))];
      }),
    );
  expect(await contents(ours)).toEqual(await contents(theirs));
  return ours.folder;
}

const opened = (folder: string, name: string, bits: number, attributes = nothing) =>
  packet(3, 1, text(`${folder}/${name}`), uint32(bits), attributes);

it('overlapping-writes: what is written over what is still being written stands there in the end', async () => {
  const folder = await compare((handle, folder) => [
    opened(folder, 'file', flags.write | flags.create),
    ...Array.from({ length: 32 }, (_, n) =>
      packet(6, 10 + n, handle, uint64(n * 32_768), text(Buffer.alloc(32_768, 'a'))),
    ),
    packet(6, 50, handle, uint64(1_000_000), text('over it')),
    packet(4, 51, handle),
  ]);
  const written = await readFile(join(folder, 'file'), 'latin1');
  expect(written.slice(999_999, 1_000_008)).toBe('aover ita');
});

it('the size of an open file is set by whoever may write to it, whatever its mode is by now', async () => {
  await compare((handle, folder) => [
    opened(folder, 'file', flags.write | flags.create, modeOf(0o400)),
    packet(6, 2, handle, uint64(0), text('0123456789')),
    packet(10, 3, handle, sizeOf(4)),
    packet(8, 4, handle),
    packet(4, 5, handle),
  ]);
});

it('the size of a file that may be written and not read is set', async () => {
  await compare((_handle, folder) => [packet(9, 1, text(`${folder}/unreadable`), sizeOf(3))]);
});

it('a file that cannot be moved keeps the one name it has', async () => {
  const folder = await compare((_handle, folder) => [
    packet(18, 1, text(`${folder}/sticky/theirs`), text(`${folder}/mine`)),
  ]);
  expect(await readdir(folder)).toEqual(['sticky', 'unreadable']);
});
