/** Whose token is it? Next to the authenticator of logins the only maker of identities. */

import type { Accounts } from '../accounts/accounts.ts';
import type { Keys } from '../keys/keys.ts';
import type { Clock } from '../platform/clock.ts';
import type { SecondFactors } from '../second-factor/second-factors.ts';
import type { Address } from '../sessions/session.ts';
import { type Exe0, parseExe0, verifyExe0 } from '../tokens/exe0.ts';
import type { Handles, OpenedHandle } from '../tokens/handles.ts';
import { parseJwt } from '../tokens/jwt.ts';
import { MalformedToken } from '../tokens/malformed-token.ts';
import { findScope, type TokenScope } from '../tokens/namespaces.ts';
import { defaultCommands, type Permissions, type PermissionsToSign } from '../tokens/permissions.ts';
import { matchesAddress } from './address-patterns.ts';
import { type Identity, provenIdentity } from './identity.ts';
import { findPresenceFault } from './user-presence.ts';

/** Why a token is no way in. */
export interface TokenRefusal {
  /** For the audit. */
  readonly refused: string;
  /** The token itself says so: whoever holds it may be told. What keys and accounts there are, nobody is. */
  readonly evident: boolean;
  /** The token is good, but the account's second factor was never shown for it. */
  readonly lacksSecondFactor?: true;
}

export interface TokenUse {
  /** For commands, or for the HTTP server of a container: which one, stands in the identity's `token`. */
  readonly kind: TokenScope['kind'];
  readonly source: Address;
  /** The account whose second factor whoever shows the token has just proven. */
  readonly provenFor?: string;
}

export interface TokenAuthenticator {
  /**
   * Takes an exe0, an exe1 or the JWT of an exchange and validates it in full, each time. Never throws for what a
   * stranger sent.
   */
  authenticate(token: string, use: TokenUse): Promise<Identity | TokenRefusal>;
}

export interface TokenAuthenticatorDependencies {
  readonly accounts: Accounts;
  readonly keys: Keys;
  readonly handles: Handles;
  readonly secondFactors: Pick<SecondFactors, 'neededFor'>;
  readonly clock: Clock;
  /** The gateway's own name, which stands in every signature. */
  readonly domain: string;
}

export const isTokenRefusal = (value: Identity | TokenRefusal): value is TokenRefusal => 'refused' in value;

const evident = (refused: string): TokenRefusal => ({ refused, evident: true });
const secret = (refused: string): TokenRefusal => ({ refused, evident: false });

export function createTokenAuthenticator(dependencies: TokenAuthenticatorDependencies): TokenAuthenticator {
  const { handles } = dependencies;
  return {
    async authenticate(token, use) {
      const jwt = parseJwt(token);
      if (!jwt && !token.startsWith('exe1.')) return authenticateExe0(dependencies, { exe0: token }, use);
      const opened = await handles.open(jwt?.handle ?? token);
      // Whoever holds a JWT could sign it anew: its exp is the row's, or nothing.
      if (!opened || (jwt && jwt.exp !== opened.exp)) return secret('there is no such exe1 token');
      return authenticateExe0(dependencies, opened, use);
    },
  };
}

async function authenticateExe0(
  { accounts, keys, secondFactors, clock, domain }: TokenAuthenticatorDependencies,
  { exe0, exp: until, secondFactor }: OpenedHandle,
  { kind, source, provenFor }: TokenUse,
): Promise<Identity | TokenRefusal> {
  const parsed = parseOrRefuse(exe0);
  if ('refused' in parsed) return parsed;
  const { permissions, sshsig } = parsed;
  const scope = findScope(sshsig.namespace, domain);
  if (scope?.kind !== kind) return evident(`it was signed for ${namespaceFault(scope)}`);
  const fault = findTimeFault(permissions, clock.now()) ?? findTimeFault({ exp: until }, clock.now());
  if (fault) return evident(fault);

  const row = await keys.findByFingerprint(sshsig.key.fingerprint);
  // Before the arithmetic: a stranger's own key of 16384 bits makes that take milliseconds.
  if (!row) return secret('its key is not registered');
  const verified = verifyExe0(parsed);
  // Secret as well: told, it would say that the key is registered.
  if (!verified) return secret('its signature does not hold');
  if (row.expiresAt !== undefined && Date.parse(row.expiresAt) <= clock.now()) {
    return secret('its key has expired');
  }
  const account = await accounts.get(row.accountId);
  if (!account || account.disabled) return secret('its account is disabled');
  const absent = findPresenceFault(verified.securityKey, row.restrictions);
  if (absent) return secret(`its signature lacks ${absent.refused}`);
  if (row.restrictions.from !== undefined && !matchesAddress(source.address, row.restrictions.from)) {
    return secret('its key is not good from this address');
  }
  const provenBefore = secondFactor === 'proven' || provenFor === account.id;
  const identity = provenIdentity({
    accountId: account.id,
    accountName: account.name,
    keyId: row.id,
    fingerprint: row.fingerprint,
    token: factsOf(permissions, scope, firstOf(until, row.expiresAt)),
    source,
    ...(provenBefore ? { secondFactor: 'proven' } : {}),
  });
  keys.noteUse(row.id);
  if (provenBefore) return identity;
  const needed = await secondFactors.neededFor(identity);
  if (needed === 'nothing') return identity;
  if (needed === 'remembered') return provenIdentity({ ...identity, secondFactor: 'remembered' });
  // Whoever stole the key could sign as many as they like.
  return { ...secret('the second factor was not shown for it'), lacksSecondFactor: true };
}

function parseOrRefuse(exe0: string): Exe0 | TokenRefusal {
  try {
    return parseExe0(exe0);
  } catch (error) {
    if (error instanceof MalformedToken) return evident(error.message);
    throw error;
  }
}

function namespaceFault(scope: TokenScope | undefined): string {
  if (scope?.kind === 'container') return 'one container, not for commands';
  return scope ? 'commands, not for a container' : 'another gateway';
}

/** At its `exp` it is good no more; before its `nbf`, not yet. */
export function findTimeFault({ exp, nbf }: Pick<PermissionsToSign, 'exp' | 'nbf'>, nowMs: number) {
  if (exp !== undefined && nowMs >= exp * 1000) return 'it has expired';
  if (nbf !== undefined && nowMs < nbf * 1000) return 'it is not valid yet';
  return undefined;
}

/** In Unix seconds: when the handle ends, or the key. */
function firstOf(until: number | undefined, keyExpiresAt: string | undefined): number | undefined {
  if (keyExpiresAt === undefined) return until;
  return Math.min(until ?? Number.POSITIVE_INFINITY, Math.floor(Date.parse(keyExpiresAt) / 1000));
}

const factsOf = (
  { cmds = defaultCommands, exp, ctx }: Permissions,
  scope: TokenScope,
  until: number | undefined,
) =>
  Object.freeze({
    cmds,
    ...(exp === undefined ? {} : { exp }),
    ...(until === undefined || (exp !== undefined && exp <= until) ? {} : { until }),
    ...(ctx === undefined ? {} : { ctx }),
    ...(scope.kind === 'container' ? { container: scope.container } : {}),
  });
