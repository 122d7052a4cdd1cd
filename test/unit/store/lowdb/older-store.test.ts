import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { accountNames, openStore, storeWith } from './stores.ts';

describe('a store file written before a table was there', () => {
  it('opens with the table empty, loses nothing, and takes rows of it', async () => {
    const { dataDir, file } = await storeWith(['alice', 'bob']);
    const document = JSON.parse(await readFile(file, 'utf8'));
    expect(Object.keys(document.tables)).toContain('cas');
    const { cas, revocations, ...tables } = document.tables;
    expect([...cas, ...revocations]).toEqual([]);
    await writeFile(file, JSON.stringify({ ...document, tables }));
    const store = await openStore({ dataDir });
    expect(await store.list('cas')).toEqual([]);
    expect(await accountNames(store)).toEqual(['alice', 'bob']);
    const createdAt = '2026-01-01T00:00:00.000Z';
    await store.transact((transaction) =>
      transaction.put('revocations', {
        id: 'a serial=1',
        authority: 'a',
        serial: '1',
        createdBy: 'x',
        createdAt,
      }),
    );
    await store.close();
    const again = await openStore({ dataDir });
    expect(await again.list('revocations', 'authority', 'a')).toMatchObject([{ serial: '1' }]);
    await again.close();
  });
});
