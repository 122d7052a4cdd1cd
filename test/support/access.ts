/** People of every kind, four containers, and an authorizer over them. */
import { createAuthorizer } from '../../src/auth/create-authorizer.ts';
import type { Identity } from '../../src/auth/identity.ts';
import { operatorIdentity } from '../../src/auth/operator.ts';
import type { KeyRow } from '../../src/store/schema.ts';
import type { ContainerTarget } from '../../src/targets/target.ts';
import { createMemoryStore } from './memory-store.ts';
import { container, identityOf, putAccount, putGrant, putKey, startOfTests } from './people.ts';

export const config = { containers: 'all', targetPrefix: 'rexec-' } as const;
export const web = container('web', { labels: { 'rexec.owner': 'olga, oscar' } });
export const tagged = container('ci', { labels: { 'rexec.owner': 'olga' } });
export const onHostNetwork = container('net', { networkMode: 'host', labels: { 'rexec.owner': 'olga' } });
export const hidden = container('hidden', { labels: { 'rexec.enable': 'false', 'rexec.owner': 'olga' } });
export const targets = [web, tagged, onHostNetwork, hidden];

export type Access = Awaited<ReturnType<typeof openAccess>>;

export async function openAccess() {
  const clock = { nowMs: startOfTests, now: () => clock.nowMs };
  const store = createMemoryStore();
  const authorizer = createAuthorizer({ store, clock, config });
  const person = async (name: string, role: 'admin' | 'member' = 'member', key: Partial<KeyRow> = {}) => {
    const account = await putAccount(store, name, role);
    return { account, identity: identityOf(account, await putKey(store, account, 'k', key)) };
  };
  const admin = await person('ada', 'admin');
  const owner = await person('olga');
  const grantee = await person('gus');
  const userGrantee = await person('ulla');
  const limited = await person('lim');
  const stranger = await person('sam');
  const ownersTaggedKey = await putKey(store, owner.account, 'tagged', { tag: 'ci' });
  const adminsTaggedKey = await putKey(store, admin.account, 'tagged', { tag: 'ci' });
  const bareKey = await putKey(store, owner.account, 'bare', {
    restrictions: { noPty: true, noPortForwarding: true, noAgentForwarding: true },
  });
  await putGrant(store, web, grantee.account);
  await putGrant(store, web, userGrantee.account, { users: ['app', 'www-data'] });
  await putGrant(store, web, limited.account, { noPty: true, noForwarding: true, noSftp: true });
  await putGrant(store, onHostNetwork, grantee.account);
  await store.transact((transaction) => transaction.put('targetTags', { id: tagged.key, tags: ['ci', 'x'] }));
  const people: Record<string, Identity> = {
    admin: admin.identity,
    owner: owner.identity,
    grantee: grantee.identity,
    'grantee with users': userGrantee.identity,
    'limited grantee': limited.identity,
    stranger: stranger.identity,
    'owner by tagged key': identityOf(owner.account, ownersTaggedKey),
    'admin by tagged key': identityOf(admin.account, adminsTaggedKey),
    'owner by bare key': identityOf(owner.account, bareKey),
    'owner, outer key tagged': identityOf(
      owner.account,
      await putKey(store, owner.account, 'inner'),
      identityOf(owner.account, ownersTaggedKey),
    ),
    'owner, outer key bare': identityOf(
      owner.account,
      await putKey(store, owner.account, 'inner2'),
      identityOf(owner.account, bareKey),
    ),
    operator: operatorIdentity(),
  };

  const identityNamed = (name: string) => people[name] as Identity;
  const principalOf = (name: string) => authorizer.principal(identityNamed(name));
  /** The user somebody enters as, or the code of the refusal. */
  const enter = async (name: string, target: ContainerTarget, user: string | undefined) =>
    authorizer.authorize(await principalOf(name), target, user).then(
      (authorization) => authorization.user ?? '(default)',
      (error: { code: string }) => error.code,
    );
  return { clock, store, authorizer, person, identityNamed, principalOf, enter };
}
