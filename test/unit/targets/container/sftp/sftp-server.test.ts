import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  FileFailure,
  type FileOperations,
} from '../../../../../src/targets/container/sftp/file-operations.ts';
import {
  messageOf,
  stringField,
  uint32,
  uint64,
} from '../../../../../src/targets/container/sftp/messages.ts';
import { serveSftp } from '../../../../../src/targets/container/sftp/sftp-server.ts';

const attributes = { size: 3, uid: 1, gid: 2, mode: 0o100644, atime: 4, mtime: 5, links: 1 };
const init = messageOf(1, [uint32(3)]);

/** As it is read by either kind of file operations: by 500 entries. */
function folderOf(entries: number) {
  const left = Array.from({ length: entries }, (_, n) => ({ name: `file ${n}`, attributes }));
  return { read: async () => left.splice(0, 500), heldBytes: 0, close: async () => {} };
}

/** Files that remember what was written, and fail where they are told to. */
function memoryFiles(options: { readonly failWrites?: boolean } = {}) {
  const writes: { offset: number; bytes: number }[] = [];
  const open = { now: 0 };
  const files = new Proxy({} as FileOperations, {
    get: (_target, name) => async () => {
      if (name === 'startFolder') return '/home';
      if (name === 'stat') return attributes;
      if (name === 'openFolder') return folderOf(1_200);
      if (name === 'open') {
        open.now += 1;
        return {
          path: '/f',
          read: async (offset: number, length: number) =>
            Buffer.alloc(Math.max(0, Math.min(length, 10 - offset))),
          write: async (offset: number, data: readonly Buffer[]) => {
            if (options.failWrites) throw new FileFailure('failure', 'No space left on device');
            writes.push({ offset, bytes: Buffer.concat(data).length });
          },
          sync: async () => {},
          close: async () => {
            open.now -= 1;
          },
        };
      }
      throw new FileFailure('no-such-file', 'No such file or directory');
    },
  });
  return { files, writes, open };
}

interface Told {
  readonly type: number;
  readonly id: number;
  readonly body: Buffer;
}

/** What the server answers to these bytes, and how it ended. */
async function converse(input: readonly Buffer[], files = memoryFiles().files) {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const chunks: Buffer[] = [];
  stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = serveSftp(stdin, stdout, files, new AbortController().signal).then(
    () => 'ended',
    (error) => (error as Error).name,
  );
  stdin.end(Buffer.concat(input));
  const end = await ended;
  await new Promise((resolve) => setImmediate(resolve));
  const told: Told[] = [];
  for (let rest = Buffer.concat(chunks); rest.length > 0; ) {
    const length = rest.readUInt32BE(0);
    told.push({ type: rest[4]!, id: rest.readUInt32BE(5), body: rest.subarray(9, 4 + length) });
    rest = rest.subarray(4 + length);
  }
  return { end, told };
}

const statusOf = ({ type, body }: Told) => (type === 101 ? body.readUInt32BE(0) : `type ${type}`);
const raw = (...bytes: number[]) => Buffer.from(bytes);
const request = (type: number, id: number, ...fields: Buffer[]) => messageOf(type, [uint32(id), ...fields]);
const handle = stringField('00000001');
const open = request(3, 1, stringField('/f'), uint32(0x1a), uint32(0));

describe('the SFTP server', () => {
  it('greets with version 3 and the extensions it has', async () => {
    const { told, end } = await converse([init]);
    expect([told[0]!.type, told[0]!.id, end]).toEqual([2, 3, 'ended']);
    for (const name of [
      'posix-rename',
      'statvfs',
      'fsync',
      'hardlink',
      'limits',
      'lsetstat',
      'expand-path',
    ]) {
      expect(told[0]!.body.toString()).toContain(`${name}@openssh.com`);
    }
  });

  it('answers in the order of the requests, whatever they are', async () => {
    const asked = Array.from({ length: 50 }, (_, n) =>
      request([17, 16, 13, 99][n % 4]!, n, stringField('x')),
    );
    const { told } = await converse([init, ...asked]);
    expect(told.slice(1).map(({ id }) => id)).toEqual(asked.map((_, n) => n));
  });

  it('writes that follow each other are one write, each answered; a gap begins another', async () => {
    const { files, writes } = memoryFiles();
    const data = stringField(Buffer.alloc(1_000));
    const asked = [0, 1_000, 2_000, 5_000].map((offset, n) =>
      request(6, 10 + n, handle, uint64(offset), data),
    );
    const { told } = await converse([init, open, ...asked], files);
    expect(told.slice(2).map((each) => [each.id, statusOf(each)])).toEqual(
      [10, 11, 12, 13].map((id) => [id, 0]),
    );
    expect(writes).toEqual([
      { offset: 0, bytes: 3_000 },
      { offset: 5_000, bytes: 1_000 },
    ]);
  });

  it('a write that fails is a failure for every request in it', async () => {
    const data = stringField(Buffer.alloc(10));
    const asked = [0, 10, 20].map((offset, n) => request(6, 10 + n, handle, uint64(offset), data));
    const { told } = await converse([init, open, ...asked], memoryFiles({ failWrites: true }).files);
    expect(told.slice(2).map(statusOf)).toEqual([4, 4, 4]);
  });

  it('a folder is told in parts, and then its end', async () => {
    const asked = [request(11, 1, stringField('/d')), ...[2, 3, 4, 5].map((id) => request(12, id, handle))];
    const { told } = await converse([init, ...asked]);
    const counts = told.slice(2).map((each) => (each.type === 104 ? each.body.readUInt32BE(0) : 'end'));
    expect(counts).toEqual([500, 500, 200, 'end']);
  });

  it('handles are bounded, and used up only while they are open', async () => {
    const many = Array.from({ length: 300 }, (_, n) =>
      request(3, n, stringField('/f'), uint32(1), uint32(0)),
    );
    const { files, open: left } = memoryFiles();
    const { told } = await converse([init, ...many, request(4, 500, handle), open], files);
    expect(left.now).toBe(0);
    expect(told.filter(({ type }) => type === 102)).toHaveLength(257);
    expect(told.filter((each) => statusOf(each) === 4)).toHaveLength(44);
  });
});

describe('what is no SFTP', () => {
  it.each<[string, Buffer]>([
    ['a length of 0', raw(0, 0, 0, 0)],
    ['a length of 4 GiB', raw(255, 255, 255, 255)],
    ['a length just over the bound', raw(0, 4, 0, 1)],
    ['a request without an id', raw(0, 0, 0, 1, 17)],
    ['a request with half an id', raw(0, 0, 0, 3, 17, 0, 0)],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('%s is refused as no SFTP', async (_name, bytes) => {
    expect((await converse([init, bytes])).end).toBe('MalformedMessage');
  });

  it.each<[string, Buffer]>([
    ['a request first', request(17, 1, stringField('/'))],
    ['a version before 3', messageOf(1, [uint32(2)])],
    ['a greeting without a version', messageOf(1, [])],
    ['nothing but noise', Buffer.from('SSH-2.0-OpenSSH\r\n')],
  ])('%s instead of a greeting ends the session', async (_name, bytes) => {
    expect((await converse([bytes])).end).toBe('MalformedMessage');
  });

  const types = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 200];
  const bodies: readonly (readonly [string, Buffer])[] = [
    ['no fields', Buffer.alloc(0)],
    ['a string longer than the message', Buffer.concat([uint32(0xffffffff), Buffer.from('abc')])],
    ['half a length', raw(0, 0)],
  ];
  it.each(types.flatMap((type) => bodies.map(([name, body]) => [type, name, body] as const)))(
    'request %d with %s is a bad message, and the session goes on',
    async (type, _name, body) => {
      const { told, end } = await converse([init, request(type, 7, body), request(17, 8, stringField('/'))]);
      expect([told[1]!.id, statusOf(told[1]!), told[2]!.type, end]).toEqual([7, 5, 105, 'ended']);
    },
  );

  it.each<[string, Buffer]>([
    ['a path with NUL', request(17, 7, stringField('/a\0b'))],
    ['a path of 5,000 bytes', request(17, 7, stringField('x'.repeat(5_000)))],
    ['an offset beyond every file', request(5, 7, handle, raw(255, 0, 0, 0, 0, 0, 0, 0), uint32(1))],
    ['a million extended attributes', request(9, 7, stringField('/f'), uint32(0x80000000), uint32(1e6))],
    ['a size of 2^64-1', request(9, 7, stringField('/f'), uint32(1), Buffer.alloc(8, 255))],
  ])('%s is a bad message', async (_name, bytes) => {
    const { told, end } = await converse([init, open, bytes]);
    expect([statusOf(told[2]!), end]).toEqual([5, 'ended']);
  });

  it('requests and extensions that do not exist are unsupported; handles that do not exist fail', async () => {
    const { told } = await converse([
      init,
      request(99, 1),
      request(200, 2, stringField('root-shell@example.com')),
      request(4, 3, stringField('nothing')),
      request(12, 4, stringField('')),
    ]);
    expect(told.slice(1).map(statusOf)).toEqual([8, 8, 4, 4]);
  });
});
