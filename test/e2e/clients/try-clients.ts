/** Declares the tests of clients against a real gateway: a cell of the table in README.md each. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, openBench } from './bench.ts';
import { answersKeepalive, checks } from './checks.ts';
import { type Client, columns } from './client.ts';

export function tryClients(clients: readonly Client[]): void {
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench();
  });
  afterAll(() => bench.close());

  describe.each(clients)('$name', (client) => {
    it.each(columns)('%s', async (column) => {
      const limit = client.limits[column];
      if (limit === undefined) return checks[column](client, bench);
      const ended = await checks[column](client, bench).then(
        () => 'works',
        () => 'as the table says',
      );
      expect(ended, `${client.name} is said to be limited in ${column}: ${limit}`).toBe('as the table says');
    });

    // The others run no commands.
    if (client.exec) it('keepalive of the gateway is answered', () => answersKeepalive(client, bench));
  });
}
