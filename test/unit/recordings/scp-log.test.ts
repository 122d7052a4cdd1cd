import { describe, expect, it } from 'vitest';
import { type FileOperation, operationText } from '../../../src/recordings/file-operation.ts';
import { createScpLog, parseScpProgram, type ScpProgram } from '../../../src/recordings/scp-log.ts';

function follow(program: ScpProgram) {
  const operations: FileOperation[] = [];
  let lost = 0;
  const log = createScpLog(program, { onOperation: (each) => operations.push(each), onLost: () => lost++ });
  return { log, operations, lost: () => lost };
}

const upload: ScpProgram = { direction: 'upload', path: '/srv' };
const sent =
  'T1700000000 0 1700000000 0\nC0644 5 one\nhello\0D0755 0 sub\nC0600 0 empty\n\0C0600 3 two\nabc\0E\n';

describe('the log of scp -O', () => {
  it.each([1, 2, 5, 1_000])('has every file and folder, however the stream is cut: by %i bytes', (size) => {
    const { log, operations, lost } = follow(upload);
    for (let at = 0; at < sent.length; at += size) log.fromClient(Buffer.from(sent.slice(at, at + size)));
    log.fromServer(Buffer.alloc(10));
    log.end();
    expect(operations).toEqual([
      { op: 'upload', path: '/srv/one', bytes: 5, outcome: 'ok' },
      { op: 'mkdir', path: '/srv/sub', detail: 'mode 0755', outcome: 'ok' },
      { op: 'upload', path: '/srv/sub/empty', bytes: 0, outcome: 'ok' },
      { op: 'upload', path: '/srv/sub/two', bytes: 3, outcome: 'ok' },
    ]);
    expect(lost()).toBe(0);
  });

  it('reads what the other side sends when files are fetched, with complaints and what was cut short', () => {
    const { log, operations } = follow({ direction: 'download', path: '/etc/*' });
    log.fromClient(Buffer.from('\0'));
    log.fromServer(Buffer.from('\x01scp: /etc/shadow: Permission denied\nC0644 9 passwd\n'));
    log.fromClient(Buffer.from('\0'));
    log.fromServer(Buffer.from('root'));
    log.fromClient(Buffer.from('\x01disk full\n'));
    log.end();
    expect(operations).toEqual([
      { op: 'message', path: '', outcome: 'scp: /etc/shadow: Permission denied' },
      { op: 'message', path: '', outcome: 'disk full' },
      { op: 'download', path: '/etc/*/passwd', bytes: 4, outcome: 'cut short' },
    ]);
  });

  it.each(['no protocol\n', 'E\n', `C0644 5 ${'x'.repeat(10_000)}`, `C0644 5 x\n${'y'.repeat(70_000)}`])(
    'is lost, once, where the stream is something else',
    (stream) => {
      const { log, lost } = follow(upload);
      log.fromClient(Buffer.from(stream));
      log.fromClient(Buffer.from(stream));
      expect(lost()).toBe(1);
    },
  );

  /** Each record is sent when the one before was answered. */
  const talk = (...turns: readonly (readonly [string, string])[]) => {
    const { log, operations, lost } = follow(upload);
    log.fromServer(Buffer.from('\0'));
    for (const [record, answer] of turns) {
      log.fromClient(Buffer.from(record));
      log.fromServer(Buffer.from(answer));
    }
    log.end();
    return { operations, lost: lost() };
  };

  it('goes on behind what was refused, the contents of which nobody sends', () => {
    expect(
      talk(
        ['D0755 0 etc\n', '\x01scp: /srv/etc: Permission denied\n'],
        ['C0644 5 one\n', '\x01scp: /srv/one: Permission denied\n'],
        ['C0644 3 two\n', '\0'],
        ['abc\0', '\0'],
      ),
    ).toEqual({
      operations: [
        { op: 'mkdir', path: '/srv/etc', detail: 'mode 0755', outcome: 'scp: /srv/etc: Permission denied' },
        { op: 'upload', path: '/srv/one', bytes: 0, outcome: 'scp: /srv/one: Permission denied' },
        { op: 'upload', path: '/srv/two', bytes: 3, outcome: 'ok' },
      ],
      lost: 0,
    });
  });

  it('hidden-upload: what scp itself lets pass is followed: deep folders, odd numbers, ends and complaints', () => {
    const deep = Array.from({ length: 300 }, () => ['D0755 0 d\n', '\0'] as const);
    const { operations, lost } = talk(
      ...deep,
      ['T0000000000000000001 0 0000000000000000001 0\n', '\0'],
      ['C0644 0000000000000000003 one\n', '\0'],
      ['abcXnot read to its end\n', '\0'],
      ['Every folder ends so\n', '\0'],
      ['C0644 0 two\n', '\0'],
      ['\0', '\0'],
    );
    expect(operations.slice(300)).toEqual([
      { op: 'upload', path: `/srv${'/d'.repeat(300)}/one`, bytes: 3, outcome: 'ok' },
      { op: 'message', path: '', outcome: 'Xnot read to its end' },
      { op: 'upload', path: `/srv${'/d'.repeat(299)}/two`, bytes: 0, outcome: 'ok' },
    ]);
    expect(lost).toBe(0);
  });

  it('tells of what was announced and never answered', () => {
    expect(talk(['C0644 3 one\nabc\0', '']).operations).toEqual([
      { op: 'upload', path: '/srv/one', bytes: 0, outcome: 'no answer' },
    ]);
  });

  it('terminal-escape: names are told as text', () => {
    expect(operationText({ op: 'upload', path: '/a\x1b]0;x\x07\n', bytes: 1, outcome: 'ok' })).toBe(
      'upload /a\\x1b]0;x\\x07\\x0a (1 bytes): ok',
    );
  });
});

describe('a command that is scp', () => {
  it.each([
    ['scp -t /tmp', { direction: 'upload', path: '/tmp' }],
    ['scp -r -p -t -- /tmp/x y', { direction: 'upload', path: '/tmp/x y' }],
    ['scp -qf ~/*.txt', { direction: 'download', path: '~/*.txt' }],
    ['/usr/bin/scp -f x', { direction: 'download', path: 'x' }],
  ])('is known: %s', (command, program) => expect(parseScpProgram(command)).toEqual(program));

  it.each([
    'scp -t /tmp; sh',
    'scp -f $(id)',
    'scp -f `id`',
    'scp -t x | sh',
    'scp -t x && sh',
    'scp -t x\nsh',
    'scp -t -f x',
    'scp x host:y',
    './scp -t x',
    'scp -S sh -t x',
    'xscp -t x',
  ])('hidden-program: is recorded as any other, with its output: %s', (command) => {
    expect(parseScpProgram(command)).toBeUndefined();
  });
});
