import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type GatewayError, isGatewayError } from '../../../src/errors.ts';
import { parseKeysToAdd } from '../../../src/keys/parse-keys-to-add.ts';
import { cpuTimeMs } from '../../support/cpu-time.ts';
import { acceptedKinds, generateKey, output, quickKey } from '../../support/keys.ts';

const failure = (text: string): GatewayError => {
  try {
    parseKeysToAdd(text);
  } catch (error) {
    if (isGatewayError(error)) return error;
    throw error;
  }
  throw new Error('it was accepted');
};

describe('public keys on stdin', () => {
  it('may be several, among blank lines and remarks, with any line ends', () => {
    const [a, b, c] = [quickKey(), quickKey(), quickKey()];
    const keys = parseKeysToAdd(`\ufeff# my keys\r\n\r\n${a} laptop\r\n  ${b}\n\n${c} with  blanks \n`);
    expect(keys.map(({ key }) => key.line)).toEqual([a, b, c]);
    expect(keys.map(({ comment }) => comment)).toEqual(['laptop', undefined, 'with  blanks']);
  });

  it('are all refused for one bad line, which is named', () => {
    const error = failure(`${quickKey()}\n\n${quickKey().slice(0, 50)}\n`);
    expect(error.message).toMatch(/^line 3: /);
  });

  it('are refused when there is none', () => {
    for (const nothing of ['', '\n\n', '# only a remark\n'])
      expect(failure(nothing).code).toBe('invalid-key');
  });

  it('are refused beyond a thousand', () => {
    expect(failure(`${quickKey()}\n`.repeat(1001)).message).toContain('1000');
  });

  it.each(acceptedKinds)('of type %s with %s bits come as SSH2 files too', async (type, bits) => {
    const { file, line } = await generateKey(type, bits);
    const text = await output('ssh-keygen', ['-e', '-m', 'RFC4716', '-f', `${file}.pub`]);
    const [read, ...more] = parseKeysToAdd(text.replaceAll('\n', '\r\n'));
    expect(more).toEqual([]);
    expect(line.startsWith(`${read?.key.line} `)).toBe(true);
    expect(read?.comment).toContain('converted by');
  });

  it.each(acceptedKinds.slice(1))('of type %s with %s bits come as PEM too', async (type, bits) => {
    const { file, line } = await generateKey(type, bits);
    for (const format of ['PKCS8', 'PEM']) {
      const text = await output('ssh-keygen', ['-e', '-m', format, '-f', `${file}.pub`]);
      const keys = parseKeysToAdd(`${text}\n${quickKey()} after it\n`);
      expect(keys).toHaveLength(2);
      expect(line.startsWith(`${keys[0]?.key.line} `)).toBe(true);
    }
  });

  it('are refused when a file is cut short or its PEM is nonsense', () => {
    expect(failure('---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n').message).toContain('cut short');
    expect(failure('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n').message).toContain(
      'ssh-keygen',
    );
    expect(failure('---- BEGIN SSH2 PUBLIC KEY ----\nAAA\n---- END SSH2 PUBLIC KEY ----').code).toBe(
      'invalid-key',
    );
  });
});

describe('a private key on stdin', () => {
  const kinds: [string, string[]][] = [
    ['OpenSSH', []],
    ['PEM', ['-m', 'PEM']],
    ['PKCS#8', ['-m', 'PKCS8']],
  ];

  it.each(kinds)('is refused in %s format, and nothing of it is in the error', async (_format, args) => {
    const { file } = await generateKey('rsa', '2048');
    await output('ssh-keygen', ['-q', '-p', '-N', 'secret', '-f', file, ...args]);
    const text = await readFile(file, 'utf8');
    const error = failure(text);
    expect(error.code).toBe('private-key');
    for (const line of text.split('\n').filter((body) => /^[A-Za-z0-9+/=]{16,}$/.test(body))) {
      expect(JSON.stringify(error) + error.stack).not.toContain(line);
    }
  });

  it.each(['2', '3'])('is refused in PuTTY format version %s', async (version) => {
    const { file } = await generateKey('ed25519', '256');
    await output('puttygen', [
      file,
      '-O',
      'private',
      '--ppk-param',
      `version=${version}`,
      '-o',
      `${file}.ppk`,
    ]);
    const text = await readFile(`${file}.ppk`, 'utf8');
    expect(text).toContain(`PuTTY-User-Key-File-${version}`);
    expect(failure(text).code).toBe('private-key');
  });

  it('is refused without its frame, in UTF-16, and after public keys', async () => {
    const text = await readFile((await generateKey('ed25519', '256')).file, 'utf8');
    const body = text.split('\n').slice(1, -2).join('\n');
    const utf16 = Buffer.from(text, 'utf16le').toString('utf8');
    for (const hidden of [body, utf16, `${quickKey()}\n${text}`])
      expect(failure(hidden).code).toBe('private-key');
  });
});

describe('a hostile line', () => {
  it('is refused when its comment holds control characters', () => {
    for (const character of ['\x1b[2J', '\x07', '\x7f', '\u009b', '\u202e', '\u2028', '\ud800']) {
      expect(failure(`${quickKey()} a${character}b`).message).toContain('control characters');
    }
    const ssh2 = `---- BEGIN SSH2 PUBLIC KEY ----\nComment: "a\x1b]0;b"\n${quickKey().split(' ')[1]}\n---- END SSH2 PUBLIC KEY ----`;
    expect(failure(ssh2).message).toContain('control characters');
  });

  it('is refused when it holds NUL', () => {
    expect(failure(`${quickKey()} a\0b`).message).toContain('NUL');
  });

  it('is refused beyond 16 KiB, and accepted up to that', () => {
    const key = quickKey();
    const room = 16 * 1024 - key.length - 1;
    expect(parseKeysToAdd(`${key} ${'x'.repeat(room)}`)).toHaveLength(1);
    expect(failure(`${key} ${'x'.repeat(room + 1)}`).message).toContain('16 KiB');
  });

  it('costs no time, however it is made to be read again and again', () => {
    const started = cpuTimeMs();
    const hostile = [
      `from="${'\\"'.repeat(8000)}`,
      '"'.repeat(16_000),
      `a="${'a","'.repeat(4000)}`,
      '-----'.repeat(3000),
      ' '.repeat(16_000),
      'x '.repeat(8000),
      `${','.repeat(16_000)} ssh-ed25519 AAAA`,
      '\\'.repeat(16_000),
    ];
    for (const line of hostile) expect(failure(line).code).toBe('invalid-key');
    expect(cpuTimeMs() - started).toBeLessThan(500);
  });
});
