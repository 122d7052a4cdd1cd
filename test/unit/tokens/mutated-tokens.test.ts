/** A good token with anything at all changed in it is refused, and nothing that is sent makes anything throw. */
import { beforeAll, describe, expect, it } from 'vitest';
import { isTokenRefusal } from '../../../src/auth/token-authenticator.ts';
import { openTokenDoor, type TokenDoor } from '../../support/token-door.ts';
import {
  ecdsaSigner,
  ed25519Signer,
  forgeToken,
  rsaSigner,
  securityKeySigner,
} from '../../support/tokens.ts';

const signers = {
  ed25519: ed25519Signer(),
  'ecdsa 256': ecdsaSigner(256),
  'ecdsa 521': ecdsaSigner(521),
  rsa: rsaSigner(),
  'sk-ed25519': securityKeySigner('ed25519'),
  'sk-ecdsa': securityKeySigner('ecdsa'),
};
const permissions = '{"exp":4000000000,"cmds":["ls","ssh web"],"ctx":{"a":[1,"é"]}}';
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

let door: TokenDoor;
beforeAll(async () => {
  door = await openTokenDoor();
  for (const { blob } of Object.values(signers)) await door.register(blob);
});

const isRefused = async (token: string) => isTokenRefusal(await door.show(token));

/** Those that were let in. */
async function findAccepted(tokens: Iterable<string>): Promise<string[]> {
  const accepted: string[] = [];
  for (const token of tokens) if (!(await isRefused(token))) accepted.push(token);
  return accepted;
}

describe.each(Object.entries(signers))('a token signed by %s', (_name, signer) => {
  const token = forgeToken(signer, { permissions });
  const parts = token
    .split('.')
    .slice(1)
    .map((part) => Buffer.from(part, 'base64url'));
  const assembled = (changed: Buffer, index: number) =>
    ['exe0', ...parts.map((part, at) => (at === index ? changed : part).toString('base64url'))].join('.');

  it('is good as it is', async () => {
    expect(await isRefused(token)).toBe(false);
  });

  it('is refused with any bit of its payload or signature turned', async () => {
    function* turned() {
      for (const [index, part] of parts.entries()) {
        for (let bit = 0; bit < part.length * 8; bit++) {
          const changed = Buffer.from(part);
          changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
          yield assembled(changed, index);
        }
      }
    }
    expect(await findAccepted(turned())).toEqual([]);
  });

  it('is refused with any of its characters changed, taken out or doubled', async () => {
    function* changed() {
      for (let at = 0; at < token.length; at++) {
        const [before, character, behind] = [token.slice(0, at), token[at] as string, token.slice(at + 1)];
        yield before + alphabet[(alphabet.indexOf(character) + 1) % 64] + behind;
        yield before + behind;
        yield before + character + character + behind;
      }
    }
    expect(await findAccepted(changed())).toEqual([]);
  });

  it('is refused with any byte of its blob taken out or put in', async () => {
    function* changed() {
      for (const [index, part] of parts.entries()) {
        for (let at = 0; at < part.length; at++) {
          yield assembled(Buffer.concat([part.subarray(0, at), part.subarray(at + 1)]), index);
          yield assembled(Buffer.concat([part.subarray(0, at), Buffer.of(at), part.subarray(at)]), index);
        }
      }
    }
    expect(await findAccepted(changed())).toEqual([]);
  });
});

/** The same numbers at each run. */
function seededRandom(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

it('thousands of tokens cut up and put together anew are refused, and none throws', async () => {
  const random = seededRandom(4);
  const sound = Object.values(signers).map((signer) => forgeToken(signer, { permissions }));
  const pick = () => sound[random(sound.length)] as string;
  const piece = (token: string) => {
    const start = random(token.length);
    return token.slice(start, start + random(token.length - start));
  };
  const odd = [
    '',
    '.',
    '..',
    'exe0.',
    'exe1.',
    '=',
    '\0',
    '\n',
    '\u{1f6aa}',
    '\ud800',
    'e30',
    'U1NIU0lH',
    '%2e',
  ];
  function* mixed() {
    for (let round = 0; round < 5000; round++) {
      const token = pick();
      const at = random(token.length);
      const put = random(2) === 0 ? piece(pick()) : (odd[random(odd.length)] as string);
      const mutant = token.slice(0, at) + put + token.slice(at + random(40));
      if (!sound.includes(mutant)) yield mutant;
    }
  }
  expect(await findAccepted(mixed())).toEqual([]);
});

it('thousands of blobs with lengths out of a fuzzer are refused, and none throws', async () => {
  const random = seededRandom(5);
  const [, payload, signature = ''] = forgeToken(signers.ed25519, { permissions }).split('.');
  const blob = Buffer.from(signature, 'base64url');
  function* mixed() {
    for (let round = 0; round < 5000; round++) {
      const changed = Buffer.from(blob);
      for (let times = 1 + random(3); times > 0; times--) {
        changed.writeUInt32BE(
          [random(300), random(2 ** 32), 0][random(3)] as number,
          random(blob.length - 4),
        );
      }
      if (!changed.equals(blob)) yield `exe0.${payload}.${changed.toString('base64url')}`;
    }
  }
  expect(await findAccepted(mixed())).toEqual([]);
});
