/** A directory of an engine's containers and of no hosts yet, for people who have one key each. */
import { createAuthorizer } from '../../src/auth/create-authorizer.ts';
import type { KeyRow, Role } from '../../src/store/schema.ts';
import { createTargetDirectory } from '../../src/targets/create-target-directory.ts';
import type { JoinedEngine } from '../../src/targets/joined-engine.ts';
import { config } from './access.ts';
import { createMemoryStore } from './memory-store.ts';
import { hostsOf, identityOf, putAccount, putKey, startOfTests } from './people.ts';

export function openTargetDirectory(engine: JoinedEngine) {
  const store = createMemoryStore();
  const authorizer = createAuthorizer({ store, clock: { now: () => startOfTests }, config });
  const identity = async (name: string, role: Role = 'member', key: Partial<KeyRow> = {}) => {
    const account = await putAccount(store, name, role);
    return identityOf(account, await putKey(store, account, 'k', key));
  };
  return {
    store,
    authorizer,
    directory: createTargetDirectory({ engine, hosts: hostsOf(store), authorizer, config }),
    identity,
    principal: async (name: string, role?: Role) => authorizer.principal(await identity(name, role)),
  };
}
