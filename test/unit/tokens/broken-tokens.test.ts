/** Hundreds of tokens, each of which breaks one rule and is good without that. */
import { beforeAll, describe, expect, it } from 'vitest';
import { isTokenRefusal } from '../../../src/auth/token-authenticator.ts';
import { brokenEncodings } from '../../support/broken-tokens/broken-encodings.ts';
import { brokenKeys } from '../../support/broken-tokens/broken-keys.ts';
import { brokenNamespaces } from '../../support/broken-tokens/broken-namespaces.ts';
import { brokenPermissions } from '../../support/broken-tokens/broken-permissions.ts';
import { brokenSignatures } from '../../support/broken-tokens/broken-signatures.ts';
import {
  type BrokenToken,
  ecdsaSigners,
  forge,
  otherSigner,
  rsa,
  signer,
} from '../../support/broken-tokens/broken-token.ts';
import { openTokenDoor, type TokenDoor } from '../../support/token-door.ts';

const table: Readonly<Record<string, readonly BrokenToken[]>> = {
  permissions: brokenPermissions,
  encoding: brokenEncodings,
  namespace: brokenNamespaces,
  signature: brokenSignatures,
  key: brokenKeys,
};
const all = Object.values(table).flat();

let door: TokenDoor;
beforeAll(async () => {
  door = await openTokenDoor();
  for (const { blob } of [signer, otherSigner, rsa, ...ecdsaSigners]) await door.register(blob);
  for (const { keys = [] } of all) for (const blob of keys) await door.register(blob);
});

it('there are more than 250 of them, each another', () => {
  expect(all.length).toBeGreaterThan(250);
  expect(new Set(all.map(({ broken, kind }) => `${kind} ${broken}`)).size).toBe(all.length);
  expect(all.filter(({ broken, mended, mendedKind }) => broken === mended && !mendedKind)).toEqual([]);
});

describe.each(Object.entries(table))('refused for its %s', (_group, rows) => {
  it.each(rows.map((row) => [row.name, row] as const))('%s', async (_name, row) => {
    const { broken, mended, refused, kind = 'commands', mendedKind = kind } = row;
    const refusal = await door.show(broken, { kind });
    expect(isTokenRefusal(refusal)).toBe(true);
    expect(refusal).toMatchObject({ refused: expect.stringMatching(refused) });
    expect(await door.show(mended, { kind: mendedKind })).toMatchObject({ accountName: 'alice' });
  });
});

describe('what looks wrong and is not', () => {
  it.each([
    ['blanks inside', '{ "exp" : 4000000000 , "cmds" : [ "ls" ] }'],
    ['a tab outside ctx', '{\t"exp":4000000000}'],
    ['a member in another spelling', '{"\\u0065xp":4000000000}'],
    ['control characters that are escaped', '{"ctx":"\\u0000\\r\\n\\u007f"}'],
    ['the same name in two objects of ctx', '{"ctx":[{"a":1},{"a":{"a":1}}]}'],
    ['names of ours inside ctx', '{"ctx":{"exp":1e9,"nbf":null,"cmds":1.5}}'],
    ['null as ctx', '{"ctx":null}'],
    ['commands nobody knows', '{"cmds":["fly","ssh-key  list",""]}'],
    ['one command twice', '{"cmds":["ls","ls"]}'],
    ['text of every alphabet', '{"ctx":"κόσμε 世界 🚪"}'],
  ])('%s', async (_name, permissions) => {
    expect(await door.show(forge({ permissions }))).toMatchObject({ accountName: 'alice' });
  });

  it('both hashes of SSHSIG, and a reserved field that was signed as it is', async () => {
    for (const hash of ['sha256', 'sha512']) {
      for (const reserved of ['', 'for later', '\0'.repeat(500)]) {
        expect(await door.show(forge({ hash, reserved }))).toMatchObject({ accountName: 'alice' });
      }
    }
  });

  it('both algorithms of RSA', async () => {
    const sha256 = { blob: rsa.blob, sign: rsa.signWith('sha256', 'rsa-sha2-256') };
    expect(await door.show(forge({ signer: sha256 }))).toMatchObject({ accountName: 'alice' });
  });
});
