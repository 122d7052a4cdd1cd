/** API keys: a key of its own for one token, so that removing the key revokes just that token. */
import { GatewayError } from '../errors.ts';
import { insertKeys } from '../keys/insert-keys.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import type { KeyRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { Handles } from './handles.ts';
import { MalformedToken } from './malformed-token.ts';
import { commandsNamespace, containerNamespace } from './namespaces.ts';
import { latestTime, type PermissionsToSign } from './permissions.ts';
import { type SignedOnce, signOnce } from './sign-exe0.ts';

export interface ApiKeyToMake {
  readonly accountId: string;
  /** Made up when unset. */
  readonly label?: string | undefined;
  /** Unset: the default list. */
  readonly cmds?: readonly string[] | undefined;
  /** Unix seconds; unset: never. */
  readonly exp?: number | undefined;
  /** The only container it is for; unset: for commands. */
  readonly container?: string | undefined;
  readonly secondFactor?: 'proven' | undefined;
}

export interface ApiKeys {
  /** The token is returned once and never kept. Throws key-name-taken, too-many-keys, usage. */
  create(wanted: ApiKeyToMake): Promise<{ readonly token: string; readonly key: KeyRow }>;
}

export interface ApiKeysDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly handles: Handles;
  readonly maxKeysPerAccount: number;
  readonly domain: string;
}

export function createApiKeys(dependencies: ApiKeysDependencies): ApiKeys {
  const { store, clock, handles, domain } = dependencies;
  return {
    async create({ accountId, label, cmds, exp, container, secondFactor }) {
      if (exp !== undefined && exp > latestTime) {
        throw new GatewayError('usage', { problem: 'a token ends before 2100, or never.' });
      }
      const namespace =
        container === undefined ? commandsNamespace(domain) : containerNamespace(container, domain);
      const { publicKey, exe0 } = sign({ exp, cmds }, namespace);
      const expiresAt = exp === undefined ? undefined : new Date(exp * 1000).toISOString();
      return store.transact(async (transaction) => {
        const unnamed = label === undefined ? { comment: `api-key-${isoTime(clock).slice(0, 10)}` } : {};
        const [key] = await insertKeys(transaction, {
          accountId,
          keys: [{ key: publicKey, ...unnamed, restrictions: {} }],
          options: {
            kind: 'api',
            ...(label === undefined ? {} : { name: label }),
            ...(expiresAt === undefined ? {} : { expiresAt }),
          },
          maxKeysPerAccount: dependencies.maxKeysPerAccount,
          clock,
        });
        if (!key) throw new Error('a key was added and is not there');
        const facts = { keyFingerprint: key.fingerprint, exp, secondFactor };
        return { token: await handles.insert(transaction, exe0, facts), key };
      });
    },
  };
}

function sign(permissions: PermissionsToSign, namespace: string): SignedOnce {
  try {
    return signOnce(permissions, namespace);
  } catch (error) {
    if (!(error instanceof MalformedToken)) throw error;
    throw new GatewayError('usage', { problem: `no gateway would take this token: ${error.message}.` });
  }
}
