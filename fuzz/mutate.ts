/** Sound inputs made unsound: bits, lengths, pieces, and words that mean something somewhere. */
import type { Random } from './random.ts';

export const maxInputBytes = 256 * 1024;

/** Lengths and numbers at which code changes its mind. */
export const edgeNumbers: readonly number[] = [
  ...[
    0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 257, 1023, 1024, 4095, 4096,
  ],
  ...[32_767, 32_768, 35_000, 35_001, 65_535, 65_536, 262_144, 262_145, 2 ** 24, 2 ** 31 - 1, 2 ** 31],
  ...[2 ** 31 + 1, 2 ** 32 - 5, 2 ** 32 - 2, 2 ** 32 - 1],
];

const words: readonly (string | Buffer)[] = [
  ...[
    '\0',
    '\n',
    '\r\n',
    '\r',
    ' ',
    '\t',
    '"',
    "'",
    '\\',
    '`',
    '$(',
    ';',
    '|',
    '&',
    '=',
    ',',
    ':',
    '.',
    '..',
    '/',
  ],
  ...[
    '../',
    '-',
    '--',
    '*',
    '!',
    '#',
    '%s',
    '%00',
    '{',
    '}',
    '[',
    ']',
    '<',
    '>',
    '+',
    '~',
    '@',
    '\u00e9',
    '\u{1f6aa}',
  ],
  ...['\u001b[2J', '\u001b]0;x\u0007', '\u009b', '\u202e', '\ufeff', '\u2028'],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'null',
    'true',
    '-1',
    '1e999',
    '0x10',
    '9007199254740993',
    'NaN',
  ],
  ...[
    'ssh-ed25519',
    'ssh-rsa',
    'ssh-dss',
    'ecdsa-sha2-nistp256',
    'sk-ssh-ed25519@openssh.com',
    'rsa-sha2-512',
  ],
  ...[
    'ssh-ed25519-cert-v01@openssh.com',
    'nistp256',
    'SSHSIG',
    'exe0.',
    'exe1.',
    'ssh-userauth',
    'ssh-connection',
  ],
  ...[
    'publickey',
    'none',
    'password',
    'session',
    'direct-tcpip',
    'exec',
    'shell',
    'pty-req',
    'env',
    'subsystem',
  ],
  Buffer.from([0xff]),
  Buffer.from([0x80]),
  Buffer.from([0xc0, 0x80]),
  Buffer.from([0xed, 0xa0, 0x80]),
];

type Mutation = (input: Buffer, random: Random, others: readonly Buffer[]) => Buffer;

const replaced = (input: Buffer, at: number, length: number, put: Buffer) =>
  Buffer.concat([input.subarray(0, at), put, input.subarray(Math.min(input.length, at + length))]);

function withByte(input: Buffer, random: Random, change: (byte: number) => number): Buffer {
  if (input.length === 0) return random.bytes(1);
  const changed = Buffer.from(input);
  const at = random.below(changed.length);
  changed[at] = change(changed[at] as number);
  return changed;
}

/** Where a length may stand: one whose value fits what follows, if there is one, or anywhere. */
function placeOfNumber(input: Buffer, random: Random): number {
  for (let tries = 0; tries < 24; tries++) {
    const at = random.below(input.length - 3);
    const value = input.readUInt32BE(at);
    if (value > 0 && value <= input.length - at - 4) return at;
  }
  return random.below(input.length - 3);
}

const mutations: readonly Mutation[] = [
  (input, random) => withByte(input, random, (byte) => byte ^ (1 << random.below(8))),
  (input, random) => withByte(input, random, () => random.below(256)),
  (input, random) => withByte(input, random, (byte) => byte + random.pick([1, -1, 16, -16])),
  (input, random) => input.subarray(0, random.below(input.length + 1)),
  (input, random) => input.subarray(random.below(input.length + 1)),
  (input, random) => replaced(input, random.below(input.length + 1), 1 + random.below(16), Buffer.alloc(0)),
  (input, random) => replaced(input, random.below(input.length + 1), 0, random.bytes(1 + random.below(16))),
  (input, random) => replaced(input, random.below(input.length + 1), 0, Buffer.from(random.pick(words))),
  (input, random) => {
    const word = Buffer.from(random.pick(words));
    return replaced(input, random.below(input.length + 1), word.length, word);
  },
  (input, random) => {
    const at = random.below(input.length + 1);
    return replaced(input, at, 0, input.subarray(at, at + 1 + random.below(64)));
  },
  (input, random) => {
    const piece = Buffer.from([random.below(256)]);
    return replaced(
      input,
      random.below(input.length + 1),
      0,
      Buffer.alloc(random.pick([64, 300, 5_000]), piece),
    );
  },
  (input, random, others) => {
    const other = random.pick(others);
    return Buffer.concat([
      input.subarray(0, random.below(input.length + 1)),
      other.subarray(random.below(other.length + 1)),
    ]);
  },
  (input, random, others) => {
    const other = random.pick(others);
    const from = random.below(other.length + 1);
    const piece = other.subarray(from, from + 1 + random.below(80));
    return replaced(input, random.below(input.length + 1), random.oneIn(2) ? piece.length : 0, piece);
  },
  (input, random) => {
    if (input.length < 4) return input;
    const changed = Buffer.from(input);
    const at = placeOfNumber(input, random);
    const near = (changed.readUInt32BE(at) + random.pick([1, -1, 4, -4, 256])) >>> 0;
    changed.writeUInt32BE(random.oneIn(2) ? near : random.pick(edgeNumbers), at);
    return changed;
  },
];

/** A few changes, one after the other; `others` are sound inputs that pieces are taken from. */
export function mutate(input: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  let changed = input;
  for (let left = 1 + random.below(random.oneIn(4) ? 12 : 3); left > 0; left--) {
    changed = random.pick(mutations)(changed, random, others);
  }
  return changed.subarray(0, maxInputBytes);
}

/** One of the corpus, mostly changed; once in a while nothing but noise. */
export function mutant(corpus: readonly Buffer[], random: Random): Buffer {
  if (random.oneIn(50)) return random.bytes(random.below(300));
  const sound = random.pick(corpus);
  return random.oneIn(40) ? sound : mutate(sound, random, corpus);
}
