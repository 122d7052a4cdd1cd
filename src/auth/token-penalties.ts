/** Tokens of strangers, over HTTP: a source that showed wrong ones is kept waiting before another is looked at. */
import { checkPenalties, type GatewayPenalties } from './gateway-penalties.ts';
import { isTokenRefusal, type TokenAuthenticator } from './token-authenticator.ts';

/**
 * The same authenticator, but each refused token is an `authfail` of its address, and it throws penalised for a source
 * that is under penalty, whatever it shows. A good token that lacks its second factor is no wrong one.
 */
export function withPenalties(tokens: TokenAuthenticator, penalties: GatewayPenalties): TokenAuthenticator {
  return {
    async authenticate(token, use) {
      const { address } = use.source;
      await checkPenalties(penalties, address);
      const found = await tokens.authenticate(token, use);
      if (isTokenRefusal(found) && !found.lacksSecondFactor) await penalties.penalise(address, 'authfail');
      return found;
    },
  };
}
