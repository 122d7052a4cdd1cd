/** One gateway among those that share a database. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { GatewayError } from '../../../errors.ts';
import type { OtherGateways } from '../../../gateways/other-gateways.ts';
import { databaseOf } from '../database.ts';
import { reasonOf } from '../faults.ts';
import { createLink, type Link } from './create-link.ts';
import { createQuestions } from './create-questions.ts';
import { countSlots, silentSeconds, spendRates } from './statements.ts';

export interface GatewaysOptions {
  /** Of a database that has this version's tables. */
  readonly url: string;
  readonly name: string;
  /** Of the data folder: who has it is this gateway, and who has another must not have its name. */
  readonly identity: string;
  readonly log?: Logger | undefined;
}

export interface OpenGateways extends OtherGateways {
  close(): Promise<void>;
}

/** Of PostgreSQL's type. */
const maxInteger = 2_147_483_647;
const retryMs = 250;
/** Until one of this name that died is known to be dead. */
const openPatienceMs = (silentSeconds + 1.5) * 1_000;

/** Throws gateway-name-taken, and store-unavailable when the database does not answer for a while. */
export async function openGateways({ url, name, identity, log }: GatewaysOptions): Promise<OpenGateways> {
  const database = databaseOf({ url, applicationName: `postern ${name} among others` });
  const link = createLink({ database, name, identity, log });
  await openPatiently(link);
  return {
    name,
    ageMs: link.ageMs,
    onReach: link.onReach,
    ...createQuestions({ link, name, log }),
    async countSlots(counts) {
      const columns = [
        counts.map((count) => count.name),
        counts.map(({ held }) => held),
        counts.map(({ wanted }) => wanted),
        counts.map(({ limit }) => Math.min(limit, maxInteger)),
      ];
      const [row] = await link.query(countSlots, [name, link.incarnation, ...columns]);
      if (row?.granted == null) {
        throw new GatewayError('store-unavailable', { reason: 'this gateway is about to come back to it' });
      }
      return row.granted.slice(1, -1).split(',').map(Number);
    },
    async spend(spent, perSecond) {
      const columns = [spent.map(({ key }) => key), spent.map(({ count }) => count)];
      const rows = await link.query(spendRates, [...columns, perSecond]);
      const seconds = new Map(rows.map((row) => [row.key, Number(row.seconds)]));
      return {
        seconds: spent.map(({ key }) => seconds.get(key) ?? 0),
        gateways: Math.max(1, Number(rows[0]?.gateways)),
      };
    },
    close: link.close,
  };
}

async function openPatiently(link: Link): Promise<void> {
  const deadlineMs = performance.now() + openPatienceMs;
  for (;;) {
    try {
      return await link.open();
    } catch (cause) {
      if (performance.now() > deadlineMs) {
        await link.close();
        if (cause instanceof GatewayError) throw cause;
        throw new GatewayError('store-unavailable', { reason: reasonOf(cause) }, { cause });
      }
      await pause(retryMs);
    }
  }
}
