/** Tokens of every kind, shown to an authenticator that knows the keys of the corpus: exe0, exe1, JWT, permissions. */
import { isTokenRefusal } from '../../src/auth/token-authenticator.ts';
import { findBearerToken, findToken } from '../../src/tokens/bearer.ts';
import { MalformedToken } from '../../src/tokens/malformed-token.ts';
import { parsePermissions } from '../../src/tokens/permissions.ts';
import { openTokenDoor } from '../../test/support/token-door.ts';
import { corpus } from '../corpus.ts';
import { mutant } from '../mutate.ts';
import { allowing, expectThat, type Surface } from '../surface.ts';

const exp = 4_000_000_000;

export const tokens: Surface = {
  pace: 'in this process',
  async open() {
    const door = await openTokenDoor();
    const good = new Set<string>();
    for (const { key, token } of corpus.signatures) {
      const { fingerprint: keyFingerprint } = await door.register(Buffer.from(key, 'base64'));
      const handle = await door.handles.derive(token, token, { keyFingerprint, exp });
      for (const each of [token, handle, await door.exchange(token)]) good.add(each);
    }
    const seeds = [...good].map((token) => Buffer.from(token));
    return {
      generate: (random) => mutant(seeds, random),
      async run(input) {
        const token = input.toString('utf8');
        const isGood = good.has(token);
        expectThat(isTokenRefusal(await door.show(token)) !== isGood, isGood ? 'refused' : 'let in');
        findToken(`Bearer ${token}`);
        findBearerToken(token);
      },
      close: async () => {},
    };
  },
};

const permissionTexts = [
  corpus.permissions,
  '{}',
  '{"exp":2000000000,"nbf":1800000000}',
  '{"cmds":[]}',
  '{"ctx":{"a":{"b":[null,true,1.5e3,"\\ud83d\\udeaa"]}}}',
].map((text) => Buffer.from(text));

export const permissions: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate: (random) => mutant(permissionTexts, random),
    run: (input) => void allowing([MalformedToken], () => parsePermissions(input)),
    close: async () => {},
  }),
};
