/**
 * A process of light clients, told by its parent: `hold` so many connections open, and log in and out at a rate.
 * Times count from when a login was due, so that one which had to wait is not the faster for it.
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLightClient, type LightClient } from '../../test/support/light-client.ts';

export type Order =
  | { readonly kind: 'hold'; readonly port: number; readonly key: string; readonly count: number }
  | {
      readonly kind: 'logins';
      readonly port: number;
      readonly key: string;
      readonly perSecond: number;
      readonly seconds: number;
    };

export interface Done {
  /** Of each login that went through. */
  readonly timesMs: readonly number[];
  readonly failures: readonly string[];
  /** Of those that are held: closed by the other side so far. */
  readonly lost: number;
  readonly cpuMs: number;
}

const held: Socket[] = [];
let lost = 0;

async function hold(client: LightClient, count: number): Promise<readonly string[]> {
  const failures: string[] = [];
  let left = count;
  const one = async () => {
    while (left-- > 0) {
      try {
        const socket = await client.logIn();
        socket.once('close', () => lost++);
        held.push(socket);
      } catch (error) {
        failures.push((error as Error).message);
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
  return failures;
}

async function logInAtRate(
  client: LightClient,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
) {
  const timesMs: number[] = [];
  const failures: string[] = [];
  const logins: Promise<void>[] = [];
  const begun = performance.now();
  for (let n = 0; n < perSecond * seconds; n++) {
    const due = begun + (n * 1000) / perSecond;
    const waitMs = due - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    const login = client.logIn().then(
      (socket) => {
        timesMs.push(performance.now() - due);
        socket.destroy();
      },
      (error: Error) => void failures.push(error.message),
    );
    logins.push(login);
  }
  await Promise.all(logins);
  return { timesMs, failures };
}

process.on('message', async (order: Order) => {
  const client = createLightClient(order.port, order.key);
  const before = process.cpuUsage();
  const { timesMs, failures } =
    order.kind === 'hold'
      ? { timesMs: [], failures: await hold(client, order.count) }
      : await logInAtRate(client, order);
  const { user, system } = process.cpuUsage(before);
  process.send?.({ timesMs, failures, lost, cpuMs: (user + system) / 1000 } satisfies Done);
});
process.on('disconnect', () => process.exit());
