/** A token authenticator over a store of plain maps, with an account `alice` and the keys a test gives her. */
import { createAccounts } from '../../src/accounts/create-accounts.ts';
import {
  createTokenAuthenticator,
  isTokenRefusal,
  type TokenUse,
} from '../../src/auth/token-authenticator.ts';
import { createExchangeToken } from '../../src/auth/token-exchange.ts';
import { createKeys } from '../../src/keys/create-keys.ts';
import { fingerprintOf } from '../../src/keys/parse-public-key.ts';
import { createSecondFactors } from '../../src/second-factor/create-second-factors.ts';
import type { KeyRow } from '../../src/store/schema.ts';
import { createHandles } from '../../src/tokens/handles.ts';
import { createMemoryStore } from './memory-store.ts';
import { putAccount, putKey, startOfTests } from './people.ts';
import { domain } from './tokens.ts';

export const source = { address: '192.0.2.7', port: 50123 };

export type TokenDoor = Awaited<ReturnType<typeof openTokenDoor>>;

export async function openTokenDoor() {
  const clock = { nowMs: startOfTests, now: () => clock.nowMs };
  const store = createMemoryStore();
  const keys = createKeys({ store, clock, maxKeysPerAccount: 100 });
  const handles = createHandles({ store, clock });
  const secondFactors = createSecondFactors({ store, clock, issuer: 'test', rememberHours: 0 });
  const accounts = createAccounts({ store, clock });
  const authenticator = createTokenAuthenticator({ accounts, keys, handles, secondFactors, clock, domain });
  const alice = await putAccount(store, 'alice');
  const register = (blob: Buffer, facts: Partial<KeyRow> = {}, account = alice) => {
    const fingerprint = fingerprintOf(blob);
    return putKey(store, account, fingerprint, { fingerprint, ...facts });
  };
  const show = (token: string, use: Partial<TokenUse> = {}) =>
    authenticator.authenticate(token, { kind: 'commands', source, ...use });
  const exchangeToken = createExchangeToken({ handles, clock });
  /** As a door does it: a token that is good now, for its JWT. */
  const exchange = async (token: string) => {
    const identity = await show(token);
    if (isTokenRefusal(identity)) throw new Error(identity.refused);
    return exchangeToken(token, identity);
  };
  return { clock, store, keys, handles, secondFactors, alice, register, show, exchange };
}
