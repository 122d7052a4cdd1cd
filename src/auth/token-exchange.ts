/** Tokens for an hour, as programs want them that show their own token once and another one with each request. */
import { GatewayError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Handles } from '../tokens/handles.ts';
import { formatJwt } from '../tokens/jwt.ts';
import type { Identity } from './identity.ts';

/**
 * The JWT for an exe0 or exe1 that was just found to be this identity's. It ends within the hour and no later than
 * the token, may do what the token may, and dies with it. Within half an hour the same token gets the same JWT, so
 * that a program that asks each time does not fill the store. Throws unauthorized for what is no exe0 or exe1, and
 * too-many-tokens.
 */
export type ExchangeToken = (token: string, identity: Identity) => Promise<string>;

const windowSeconds = 1800;

export function createExchangeToken({
  handles,
  clock,
}: {
  readonly handles: Handles;
  readonly clock: Clock;
}): ExchangeToken {
  return async (token, identity) => {
    const behind = token.startsWith('exe0.') ? { exe0: token } : await handles.open(token);
    if (!behind) throw new GatewayError('unauthorized', {});
    const windowEnd = (Math.floor(clock.now() / 1000 / windowSeconds) + 2) * windowSeconds;
    // A handle that ends soon needs none in its stead. Nor does one that an exchange has made.
    if (behind.exp !== undefined && behind.exp <= windowEnd) {
      return formatJwt({ handle: token, exp: behind.exp });
    }
    const exp = Math.min(windowEnd, identity.token?.exp ?? windowEnd);
    const handle = await handles.derive(token, behind.exe0, {
      keyFingerprint: identity.fingerprint,
      exp,
      secondFactor: behind.secondFactor,
    });
    return formatJwt({ handle, exp });
  };
}
