/** Hostile words in every place a line has for words: a clear answer, no exception, no raw control character. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Identity } from '../../../src/auth/identity.ts';
import { makePublicKey, openLobby, statusOf, type TestLobby } from '../../support/lobby.ts';
import { container, identityOf, putAccount, putKey } from '../../support/people.ts';

const esc = '\x1b';
const hostileWords: readonly string[] = [
  // Control characters and what terminals act on.
  `${esc}[2J${esc}[H`,
  `${esc}]0;owned\x07`,
  `${esc}]52;c;ZXZpbA==\x07`,
  `${esc}P0;1|17/ab${esc}\\`,
  '\x07\x08\x0b\x0c',
  'a\rb',
  'a\nb',
  'line\n\rpostern: fake',
  '\x7f\x7f',
  '\u009b31mred',
  '\u0085',
  '\x00',
  'a\x00b',
  '\u202egpj.exe',
  '\u2066x\u2069',
  '\u2028',
  '\ufeff',
  '\u200f',
  'tab\tbed',
  // Shells, formats, paths, options, queries.
  '$(touch /tmp/pwned)',
  '`id`',
  '$\u007bHOME}',
  '; rm -rf /',
  '| sh',
  '&& id',
  '> /etc/passwd',
  '../../../etc/passwd',
  '/dev/stdin',
  '~root',
  '*',
  '?',
  '[a-z]',
  '{a,b}',
  '%s%n%d',
  '%d/.ssh',
  '-rf',
  '-',
  '--',
  '---',
  '-o',
  '-oProxyCommand=id',
  "' OR 1=1 --",
  '"',
  "'",
  '\\',
  '"open',
  "it's",
  'a\\',
  '<script>alert(1)</script>',
  'null',
  'undefined',
  'NaN',
  'true',
  '{"$gt":""}',
  '[]',
  '0',
  '-1',
  '1e999',
  '0x7fffffff',
  '99999999999999999999',
  // Names of Object.prototype, and yargs' own.
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '__defineGetter__',
  '--__proto__',
  '--constructor',
  '--__proto__.polluted=1',
  '--constructor.prototype.polluted=1',
  '--toString=1',
  '--hasOwnProperty',
  '--valueOf',
  '--get-yargs-completions',
  '--version',
  '--no-json',
  '--json=maybe',
  '--help=x',
  '--$0=x',
  '--_=x',
  '--=x',
  '-=',
  '-$',
  '--name',
  '--name=',
  '--no-name',
  '-json',
  '-h',
  '-xyz',
  '--a.b.c=d',
  '--json=__proto__',
  // Empty, huge, broken.
  '',
  ' ',
  '\t',
  'x'.repeat(60_000),
  `${'é'.repeat(33_000)}`,
  `"${'a b '.repeat(10_000)}"`,
  '-'.repeat(5_000),
  "'".repeat(9_999),
  '\\'.repeat(4_001),
  '\ufffd',
  '\ufffd\ufffd\ufffd',
  '\ud800',
  'a\udfffb',
  Buffer.from([0xc3, 0x28, 0xff, 0xfe]).toString('utf8'),
  '👩‍👩‍👧‍👦'.repeat(40),
  'e\u0301'.repeat(500),
  '\u0000\u0001\u0002',
  'ＡＢＣ',
  'ı',
  'ß',
  'K',
  // Secrets.
  'exe0.abc.def',
  'exe1.abcdefghijklmnopqrstuvwxyz234567',
  'join+abcdef',
  '-----BEGIN OPENSSH PRIVATE KEY-----',
];

const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** Each word raw and quoted, where a command, a name, a key, a target, a tag, a value of a flag is expected. */
const shapes: readonly ((word: string) => string)[] = [
  (word) => word,
  (word) => quoted(word),
  (word) => `ssh-key add --name=${quoted(word)} ${makePublicKey()}`,
  (word) => `ssh-key add ${makePublicKey(word)}`,
  (word) => `ssh-key add ${quoted(word)}`,
  (word) => `ssh-key rename laptop ${quoted(word)}`,
  (word) => `ssh-key remove ${quoted(word)}`,
  (word) => `ssh-key list ${word}`,
  (word) => `connect ${quoted(word)} --json`,
  (word) => `ssh ${quoted(word)} id`,
  (word) => `ssh ${quoted(`${word}@web`)} id`,
  (word) => `tag web ${quoted(word)}`,
  (word) => `share add web ${quoted(word)} --users=${quoted(word)}`,
  (word) => `account add ${quoted(word)}`,
  (word) => `account show ${quoted(word)} --json`,
  (word) => `invite create --name=${quoted(word)} --exp=${quoted(word)}`,
  (word) => `session kill ${quoted(word)}`,
  (word) => `ssh-config --name=${quoted(word)}`,
  (word) => `ssh-config --identity-file=${quoted(word)}`,
  (word) => `help ${quoted(word)}`,
  (word) => `${word} ls ${word}`,
];

/** Anything but printable text and newlines: C0, DEL, C1, overrides, lone surrogates. */
const raw = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f\ufeff]|\p{Cs}/u;

let lobby: TestLobby;
let admin: Identity;

beforeAll(async () => {
  const evil = container('web', {
    image: `evil${esc}[2J`,
    status: 'Up\x07',
    labels: { 'rexec.name': `x${esc}[31m`, 'rexec.owner': '\x1b' },
  });
  lobby = await openLobby({ containers: [evil], config: { maxKeysPerAccount: 10_000 } });
  const ada = await putAccount(lobby.services.store, 'ada', 'admin', { email: `a${esc}@b` });
  admin = identityOf(ada, await putKey(lobby.services.store, ada, 'k'));
  await putKey(lobby.services.store, ada, `laptop${esc}[2J`);
});

afterAll(() => lobby.close());

/** Runs a line and returns what is wrong with the answer. */
async function problemsOf(line: string, loginName = 'ada'): Promise<string[]> {
  const result = await lobby.run(admin, line, { loginName });
  const status = statusOf(result);
  const problems: string[] = [];
  const shown = line.length > 120 ? `${line.slice(0, 120)}… (${line.length})` : line;
  const complain = (problem: string) => problems.push(`${JSON.stringify(shown)}: ${problem}`);
  if (![0, 1, 2, 7, 255].includes(status)) complain(`status ${status}`);
  if (result.stderr.includes('internal error')) complain('internal error');
  if (raw.test(result.stdout)) complain(`stdout ${JSON.stringify(result.stdout.slice(0, 200))}`);
  if (raw.test(result.stderr)) complain(`stderr ${JSON.stringify(result.stderr.slice(0, 200))}`);
  if (status !== 0 && status !== 7 && !/^postern: [^\n]+\n$/.test(result.stderr))
    complain(`no one sentence: ${result.stderr.slice(0, 200)}`);
  if (result.stderr.length > 4_000) complain(`${result.stderr.length} characters on stderr`);
  return problems;
}

describe('hostile lines', () => {
  it('are more than three hundred', () => {
    expect(new Set(hostileWords).size * shapes.length).toBeGreaterThan(300);
    expect(new Set(hostileWords).size).toBe(hostileWords.length);
  });

  it.each(shapes.map((shape, index) => [index, shape] as const))(
    'shape %d: every hostile word gets a clear answer',
    async (_index, shape) => {
      const problems: string[] = [];
      for (const word of hostileWords) problems.push(...(await problemsOf(shape(word))));
      expect(problems).toEqual([]);
    },
    60_000,
  );

  it('pollute no prototype', () => {
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('left in the store, they are shown without raw control characters, as text and as JSON', async () => {
    for (const line of [
      'whoami',
      'ssh-key list',
      'ls -l',
      'account list',
      'account show ada',
      'share show web',
      'tag web',
      'invite list',
      'connect web',
    ]) {
      expect(await problemsOf(line)).toEqual([]);
      expect(await problemsOf(`${line} --json`)).toEqual([]);
    }
  });

  it('as login names they end in the lobby or at the hint, never in an exception', async () => {
    for (const word of hostileWords.filter((name) => name.length < 1_000)) {
      const result = await lobby.run(admin, 'nosuch', { loginName: word });
      expect([word, statusOf(result), raw.test(result.stderr)]).toEqual([word, 2, false]);
    }
  });

  it('on stdin of a shell: every line is answered and the last one still runs', async () => {
    const lines = hostileWords.filter((word) => !/[\n]|PRIVATE KEY/.test(word));
    const stdin = `${lines.join('\n')}\nversion\n`;
    const result = await lobby.run(admin, { kind: 'shell' }, { stdin });
    expect(statusOf(result)).toBe(0);
    expect(result.stdout).toMatch(/postern \d+\.\d+\.\d+\n$/);
    expect(raw.test(result.stdout + result.stderr)).toBe(false);
  });

  it('10,000 key lines of rubbish on stdin add nothing and answer in one sentence', async () => {
    const stdin = hostileWords
      .filter((word) => word.length < 100 && !/PRIVATE KEY/.test(word))
      .join('\n')
      .repeat(50);
    const result = await lobby.run(admin, 'ssh-key add', { stdin: stdin.slice(0, 60_000) });
    expect(statusOf(result)).toBe(2);
    expect(result.stderr).toMatch(/^postern: [^\n]+\n$/);
    expect(raw.test(result.stderr)).toBe(false);
  });
});
