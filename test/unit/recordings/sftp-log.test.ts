import { describe, expect, it } from 'vitest';
import type { FileOperation } from '../../../src/recordings/file-operation.ts';
import { createSftpLog } from '../../../src/recordings/sftp-log.ts';
import { heldMib } from '../../support/held-memory.ts';
import { packet, text, uint32 } from '../../support/sftp-packets.ts';

function follow() {
  const operations: FileOperation[] = [];
  let lost = 0;
  const log = createSftpLog({
    onOperation: (operation) => operations.push(operation),
    onLost: () => lost++,
  });
  return { log, operations, lost: () => lost };
}

const status = (id: number, code: number) => packet(101, id, uint32(code), text(''), text(''));
const handle = (id: number, name: string) => packet(102, id, text(name));
const write = (id: number, name: string, bytes: number) =>
  packet(6, id, text(name), Buffer.alloc(8), text(Buffer.alloc(bytes)));
const open = (id: number, path: string, flags: number) => packet(3, id, text(path), uint32(flags), uint32(0));

/** An upload of 300,000 bytes and a download of 5. */
const session: readonly (readonly ['client' | 'server', Buffer])[] = [
  ['client', text(Buffer.from([1, 0, 0, 0, 3]))],
  ['server', text(Buffer.from([2, 0, 0, 0, 3]))],
  ['client', open(1, '/up', 0x1a)],
  ['server', handle(1, 'h1')],
  ...Array.from({ length: 10 }, (_, n) => ['client', write(10 + n, 'h1', 30_000)] as const),
  ...Array.from({ length: 10 }, (_, n) => ['server', status(10 + n, 0)] as const),
  ['client', packet(4, 30, text('h1'))],
  ['server', status(30, 0)],
  ['client', open(31, '/down', 1)],
  ['server', handle(31, 'h2')],
  ['client', packet(5, 32, text('h2'), Buffer.alloc(8), uint32(32_768))],
  ['server', packet(103, 32, text('12345'))],
  ['client', packet(5, 33, text('h2'), Buffer.alloc(8), uint32(32_768))],
  ['server', status(33, 1)],
  ['client', packet(4, 34, text('h2'))],
  ['server', status(34, 0)],
];
const expected = [
  { op: 'upload', path: '/up', bytes: 300_000, outcome: 'ok' },
  { op: 'download', path: '/down', bytes: 5, outcome: 'ok' },
];

describe('the log of an sftp session', () => {
  it.each([1, 3, 7, 1_000, 1e9])('is the same however the stream is cut: by %i bytes', (size) => {
    const { log, operations, lost } = follow();
    for (const [from, bytes] of session) {
      for (let at = 0; at < bytes.length; at += size) {
        const part = bytes.subarray(at, at + size);
        if (from === 'client') log.fromClient(part);
        else log.fromServer(part);
      }
    }
    log.end();
    expect([operations, lost()]).toEqual([expected, 0]);
  });

  it('tells what was done to names, with the answer', () => {
    const { log, operations } = follow();
    const attributes = Buffer.concat([uint32(4), uint32(0o100640)]);
    const asked: readonly (readonly [Buffer, number])[] = [
      [packet(13, 1, text('/gone')), 0],
      [packet(13, 2, text('/root-only')), 3],
      [packet(14, 3, text('/dir'), uint32(0)), 0],
      [packet(15, 4, text('/dir')), 4],
      [packet(18, 5, text('/a'), text('/b')), 0],
      [packet(20, 6, text('target'), text('/link')), 0],
      [packet(9, 7, text('/file'), attributes), 0],
      [packet(200, 8, text('posix-rename@openssh.com'), text('/a'), text('/b')), 0],
      [packet(200, 9, text('hardlink@openssh.com'), text('/a'), text('/b')), 8],
      [packet(200, 10, text('constructor'), text('/a')), 8],
      [packet(17, 11, text('/looked-at')), 2],
    ];
    for (const [request] of asked) log.fromClient(request);
    asked.forEach(([, code], index) => void log.fromServer(status(index + 1, code)));
    expect(operations).toEqual([
      { op: 'remove', path: '/gone', outcome: 'ok' },
      { op: 'remove', path: '/root-only', outcome: 'permission denied' },
      { op: 'mkdir', path: '/dir', outcome: 'ok' },
      { op: 'rmdir', path: '/dir', outcome: 'failed' },
      { op: 'rename', path: '/a', to: '/b', outcome: 'ok' },
      { op: 'symlink', path: '/link', to: 'target', outcome: 'ok' },
      { op: 'attributes', path: '/file', detail: 'mode 0640', outcome: 'ok' },
      { op: 'rename', path: '/a', to: '/b', outcome: 'ok' },
      { op: 'hardlink', path: '/a', to: '/b', outcome: 'not supported' },
    ]);
  });

  it('tells of what was opened and never closed, of what could not be opened, and of folders', () => {
    const { log, operations } = follow();
    log.fromClient(open(1, '/left-open', 2));
    log.fromServer(handle(1, 'h'));
    log.fromClient(write(2, 'h', 4));
    log.fromClient(open(3, '/secret', 1));
    log.fromServer(status(3, 3));
    log.fromClient(packet(11, 4, text('/etc')));
    log.fromServer(handle(4, 'd'));
    log.end();
    expect(operations).toEqual([
      { op: 'download', path: '/secret', bytes: 0, outcome: 'permission denied' },
      { op: 'upload', path: '/left-open', bytes: 4, outcome: 'not closed' },
      { op: 'list', path: '/etc', outcome: 'not closed' },
    ]);
  });

  it('is lost, once, where no packet can be', () => {
    const { log, lost } = follow();
    for (let n = 0; n < 3; n++) log.fromServer(Buffer.from('Welcome to the machine\n'));
    log.fromClient(open(1, '/x', 1));
    log.end();
    expect(lost()).toBe(1);
  });
});

describe('what is done to files is told, whatever a client does not to be followed:', () => {
  it('it is gone before the answer', () => {
    const { log, operations } = follow();
    log.fromClient(packet(13, 1, text('/gone')));
    log.fromClient(open(2, '/made', 0x1a));
    log.end();
    expect(operations).toEqual([
      { op: 'remove', path: '/gone', outcome: 'no answer' },
      { op: 'upload', path: '/made', bytes: 0, outcome: 'no answer' },
    ]);
  });

  it('it uses an id twice', () => {
    const { log, operations } = follow();
    log.fromClient(packet(13, 1, text('/gone')));
    log.fromClient(packet(5, 1, text('h'), Buffer.alloc(8), uint32(1)));
    expect(operations).toEqual([{ op: 'remove', path: '/gone', outcome: 'no answer' }]);
  });

  it('it asks more than anybody remembers', () => {
    const { log, operations } = follow();
    log.fromClient(packet(13, 1, text('/gone')));
    for (let id = 2; id < 6_000; id++) log.fromClient(packet(5, id, text('h'), Buffer.alloc(8), uint32(1)));
    log.fromServer(status(1, 0));
    expect(operations).toEqual([{ op: 'remove', path: '/gone', outcome: 'no answer' }]);
  });

  it('it names a handle that it guessed before it is told', () => {
    const { log, operations } = follow();
    const size = Buffer.concat([uint32(1), Buffer.alloc(8)]);
    log.fromClient(Buffer.concat([open(1, '/up', 2), write(2, 'h', 9), packet(10, 3, text('h'), size)]));
    log.fromClient(packet(4, 4, text('h')));
    log.fromServer(Buffer.concat([handle(1, 'h'), status(2, 0), status(3, 0), status(4, 0)]));
    expect(operations).toEqual([
      { op: 'attributes', path: '/up', detail: 'size 0', outcome: 'ok' },
      { op: 'upload', path: '/up', bytes: 9, outcome: 'ok' },
    ]);
  });

  it('it reads a file that it writes a byte to, and lets the server copy another', () => {
    const { log, operations } = follow();
    const offsets = Buffer.alloc(16);
    log.fromClient(Buffer.concat([open(1, '/secret', 3), open(2, '/copy', 0x1a)]));
    log.fromServer(Buffer.concat([handle(1, 's'), handle(2, 'c')]));
    log.fromClient(packet(200, 3, text('copy-data'), text('s'), offsets, text('c'), Buffer.alloc(8)));
    log.fromClient(packet(5, 4, text('s'), Buffer.alloc(8), uint32(9)));
    log.fromClient(write(5, 's', 1));
    log.fromServer(Buffer.concat([status(3, 0), packet(103, 4, text('a secret.')), status(5, 0)]));
    log.end();
    expect(operations).toEqual([
      { op: 'copy', path: '/secret', to: '/copy', outcome: 'ok' },
      { op: 'download', path: '/secret', bytes: 9, outcome: 'not closed' },
      { op: 'upload', path: '/secret', bytes: 1, outcome: 'not closed' },
      { op: 'upload', path: '/copy', bytes: 0, outcome: 'not closed' },
    ]);
  });

  it('what could not be written is not counted', () => {
    const { log, operations } = follow();
    log.fromClient(open(1, '/full', 2));
    log.fromServer(handle(1, 'h'));
    log.fromClient(Buffer.concat([write(2, 'h', 5), write(3, 'h', 7), packet(4, 4, text('h'))]));
    log.fromServer(Buffer.concat([status(2, 0), status(3, 4), status(4, 0)]));
    expect(operations).toEqual([{ op: 'upload', path: '/full', bytes: 5, outcome: 'ok' }]);
  });
});

/** So that a failure can be seen again. */
function randomFrom(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

describe('a hostile peer of an sftp session', () => {
  it('fuzzed: 30,000 packets of random bytes, and real ones with a byte changed, throw nothing', () => {
    const next = randomFrom(7);
    const { log } = follow();
    let { log: fresh } = follow();
    for (let round = 0; round < 30_000; round++) {
      const fields = Buffer.from(Array.from({ length: next(40) }, () => next(256)));
      const made = packet(
        [3, 4, 5, 6, 9, 10, 11, 18, 20, 101, 102, 103, 200][next(13)] ?? 0,
        next(8),
        fields,
      );
      log.fromClient(made);
      log.fromServer(made);
      const real = Buffer.from(session[next(session.length)]?.[1].subarray(0, 64) ?? '');
      real[next(real.length)] = next(256);
      if (round % 50 === 0) ({ log: fresh } = follow());
      fresh.fromClient(real);
      fresh.fromServer(real);
    }
    log.end();
    fresh.end();
  });

  it('bounded: requests that nobody answers, files that nobody closes and endless packets keep little', () => {
    let told = 0;
    let notFollowed = 0;
    const log = createSftpLog({
      onOperation({ detail }) {
        told++;
        if (detail === 'not followed: too many are open') notFollowed++;
      },
      onLost: () => {},
    });
    const path = `/${'x'.repeat(4_000)}`;
    const before = heldMib();
    for (let n = 0; n < 50_000; n++) log.fromClient(open(n, path, 1));
    const longHandle = 'h'.repeat(12_000);
    for (let n = 0; n < 5_000; n++)
      log.fromClient(packet(5, n, text(longHandle), Buffer.alloc(8), uint32(1)));
    for (let n = 50_000; n < 60_000; n++) {
      log.fromClient(open(n, '/many', 1));
      log.fromServer(handle(n, `h${n}`));
    }
    const filler = Buffer.alloc(64 * 1024);
    log.fromClient(Buffer.concat([uint32(4 * 1024 * 1024), Buffer.from([6]), uint32(1)]));
    for (let n = 0; n < 63; n++) log.fromClient(filler);
    expect(heldMib() - before).toBeLessThan(16);
    log.end();
    expect([told, notFollowed]).toEqual([60_000, 10_000 - 1_024]);
  });
});
