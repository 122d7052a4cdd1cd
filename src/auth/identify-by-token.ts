import type { Audit } from '../audit/audit.ts';
import { GatewayError } from '../errors.ts';
import type { Identity } from './identity.ts';
import { isTokenRefusal, type TokenAuthenticator, type TokenUse } from './token-authenticator.ts';

export interface ShownToken {
  /** Undefined where none was shown. */
  readonly token: string | undefined;
  readonly use: TokenUse;
  /** Of the request that shows it. */
  readonly connectionId: string;
}

/**
 * Who shows this token. Throws `refusal`, one sentence for every cause, which the audit holds; token-unproven
 * where only the second factor is missing; and penalised.
 */
export async function identifyByToken(
  { tokens, audit }: { readonly tokens: TokenAuthenticator; readonly audit: Pick<Audit, 'loginRefused'> },
  { token, use, connectionId }: ShownToken,
  refusal: () => GatewayError,
): Promise<Identity> {
  const found = token === undefined ? undefined : await tokens.authenticate(token, use);
  if (found && !isTokenRefusal(found)) return found;
  const reason = `token: ${found?.refused ?? 'there is none'}`;
  audit.loginRefused({ connectionId, source: use.source.address, reason });
  throw found?.lacksSecondFactor ? new GatewayError('token-unproven', {}) : refusal();
}
