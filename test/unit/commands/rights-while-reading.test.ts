/** A command that waits for its stdin: what its key or its account loses meanwhile is lost when the input comes. */
import { expect, it } from 'vitest';
import type { Identity } from '../../../src/auth/identity.ts';
import { forEachTest } from '../../support/lifetimes.ts';
import { makePublicKey, openPeopledLobby } from '../../support/lobby.ts';
import { identityOf, putAccount, putKey } from '../../support/people.ts';

const lobby = forEachTest(openPeopledLobby, ({ close }) => close());

/** Runs `line` up to where it waits for its input, does `meanwhile`, and lets it have a key. */
async function heldOpen(identity: Identity, line: string, meanwhile: () => Promise<unknown>) {
  const held = lobby.start(identity, line);
  await expect.poll(() => held.stdin.listenerCount('readable')).toBeGreaterThan(0);
  await meanwhile();
  held.stdin.end(makePublicKey('back-door'));
  await held.end;
  return held.stderr().toString();
}

const keysOf = async (accountId: string) =>
  (await lobby.services.keys.list(accountId)).map(({ name }) => name).toSorted();

it('held-stdin: a key that is removed adds no other in the second that its connection has left', async () => {
  const { store } = lobby.services;
  const stolen = await putKey(store, lobby.olga, 'stolen');
  const thief = identityOf(lobby.olga, stolen);
  const said = await heldOpen(thief, 'ssh-key add', () => lobby.run(lobby.owner, 'ssh-key remove stolen'));
  expect(said).toMatch(/keys that are registered and valid now/);
  expect(await keysOf(lobby.olga.id)).toEqual(['laptop']);
});

it('held-stdin: who is no admin any more gives no admin a key, and has no authority trusted', async () => {
  const { store, accounts } = lobby.services;
  for (const [name, line] of [
    ['eve', 'account add-key ada'],
    ['eva', "ca add office --principals-from='*' --admins"],
    ['ewa', 'host add door root@10.0.0.1 --host-key=-'],
  ] as const) {
    const account = await putAccount(store, name, 'admin');
    const identity = identityOf(account, await putKey(store, account, 'k'));
    const said = await heldOpen(identity, line, () => accounts.setRole(name, 'member'));
    expect(said).toMatch(/is for admins only/);
  }
  expect(await keysOf(lobby.admin.accountId)).toEqual(['desk']);
  expect(await lobby.services.certificateAuthorities.list()).toEqual([]);
  expect(await lobby.services.hosts.list()).toEqual([]);
});

it('held-stdin: an account that is disabled, or must have a second factor now, adds no key', async () => {
  const { store, accounts } = lobby.services;
  for (const [name, change] of [
    ['eve', () => accounts.setDisabled('eve', true)],
    ['eva', () => accounts.setSecondFactorRequired('eva', true)],
  ] as const) {
    const account = await putAccount(store, name);
    const identity = identityOf(account, await putKey(store, account, 'k'));
    expect(await heldOpen(identity, 'ssh-key add', change)).not.toBe('');
    expect(await keysOf(account.id)).toEqual(['k']);
  }
});
