/** Over 1,000 keys a page at a time, while others come and go. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../../support/http-api.ts';
import { makePublicKey } from '../../support/lobby.ts';

let api: Api;
let token: string;
beforeAll(async () => {
  api = await startApi({
    config: { tokenRatePerSecond: 10_000, tokenRateBurst: 10_000, maxKeysPerAccount: 5_000 },
  });
  token = await api.apiKey('--cmds="ssh-key list,ssh-key add,ssh-key remove"');
  const lines = Array.from(
    { length: 1_050 },
    (_, index) => `${makePublicKey().split(' ').slice(0, 2).join(' ')} key-${index}`,
  );
  for (let from = 0; from < lines.length; from += 350) {
    const added = await api.ssh('ssh-key add', { stdin: lines.slice(from, from + 350).join('\n') });
    expect(added.stderr).toBe('');
  }
});
afterAll(() => api.stop());

interface Listed {
  readonly data: readonly { readonly name: string }[];
  readonly pagination: { readonly totalPages: number; readonly total: number };
}

const page = async (number: number, as = token) => {
  const query = `?page=${number}&limit=50`;
  const answer = await fetch(`${api.url}/api/account/ssh-keys${query}`, {
    headers: { authorization: `Bearer ${as}` },
  });
  return (await answer.json()) as Listed;
};

describe('XyraPanel’s pages', () => {
  it('hold no key twice and miss none, while keys are added and removed', async () => {
    const other = await api.apiKey('--cmds="ssh-key list"');
    const seen: string[] = [];
    const { pagination } = await page(1);
    expect(pagination.totalPages).toBeGreaterThan(20);
    for (let number = 1; number <= pagination.totalPages; number++) {
      seen.push(...(await page(number)).data.map(({ name }) => name));
      await api.ssh(`ssh-key add --name=new-${number}`, { stdin: makePublicKey() });
      if (number % 5 === 0) expect((await api.ssh(`ssh-key remove key-${number}`)).status).toBe(0);
      await page(1, other);
    }
    expect(new Set(seen).size).toBe(seen.length);
    const gone = new Set([5, 10, 15, 20].map((number) => `key-${number}`));
    for (let index = 0; index < 1_050; index++) {
      const name = `key-${index}`;
      if (!gone.has(name)) expect(seen).toContain(name);
    }
    expect((await page(1)).data.map(({ name }) => name)).toContain(`new-${pagination.totalPages}`);
  });

  it('of the APIs that list at once hold all of them', async () => {
    const listed = async (path: string, find: (answer: never) => readonly unknown[]) => {
      const answer = await fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
      return find((await answer.json()) as never).length;
    };
    const total = (await page(1)).pagination.total;
    expect(await listed('/v1/ssh-keys', (keys: unknown[]) => keys)).toBe(total);
    expect(await listed('/v1/keys', ({ keys }: { keys: unknown[] }) => keys)).toBe(total);
    expect(await listed('/api/ssh/keys', ({ keys }: { keys: unknown[] }) => keys)).toBe(total);
  });
});
