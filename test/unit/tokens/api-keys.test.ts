import { beforeEach, describe, expect, it } from 'vitest';
import { type ApiKeys, createApiKeys } from '../../../src/tokens/api-keys.ts';
import { startOfTests } from '../../support/people.ts';
import { openTokenDoor, type TokenDoor } from '../../support/token-door.ts';
import { domain } from '../../support/tokens.ts';

let door: TokenDoor;
let apiKeys: ApiKeys;
beforeEach(async () => {
  door = await openTokenDoor();
  const { store, clock, handles } = door;
  apiKeys = createApiKeys({ store, clock, handles, maxKeysPerAccount: 100, domain });
});

const accountId = 'id-alice';

describe('a key made for one token', () => {
  it('has signed what was asked for, and ends with it', async () => {
    const exp = startOfTests / 1000 + 60;
    const { token, key } = await apiKeys.create({ accountId, cmds: ['ls', 'ssh web'], exp });
    expect(await door.show(token)).toMatchObject({ keyId: key.id, token: { exp, cmds: ['ls', 'ssh web'] } });
    expect(key).toMatchObject({ kind: 'api', name: 'api-key-2026-01-15' });
    door.clock.nowMs = exp * 1000;
    expect(await door.show(token)).toHaveProperty('refused');
  });

  it('removed, takes the token with it', async () => {
    const { token, key } = await apiKeys.create({ accountId, container: 'web' });
    expect(await door.show(token, { kind: 'container' })).toMatchObject({ token: { container: 'web' } });
    await door.keys.remove(accountId, key.name, { sure: true });
    expect(await door.show(token, { kind: 'container' })).toHaveProperty('refused');
    expect(await door.store.list('tokens')).toEqual([]);
  });

  it.each([
    ['more commands than a token holds', { cmds: Array.from({ length: 900 }, (_, at) => `ssh web-${at}`) }],
    ['a command that is no text', { cmds: ['ssh \udc00'] }],
    ['an end beyond 2100', { exp: 4_102_444_801 }],
    ['an end before 2000', { exp: 946_684_799 }],
  ])('is not made for %s', async (_name, wanted) => {
    await expect(apiKeys.create({ accountId, ...wanted })).rejects.toMatchObject({ code: 'usage' });
    expect(await door.store.list('keys')).toEqual([]);
  });
});
