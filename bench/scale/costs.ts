/** What the simulation starts from: costs that measure.ts has measured, and their place. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Costs {
  readonly measuredOn: string;
  /** Processor time of a gateway for a login of a key that it has not kept, with the lookup and the note of its use. */
  readonly loginCpuMs: number;
  /** The same of PostgreSQL. */
  readonly loginDatabaseCpuMs: number;
  /** Of a gateway, for an idle connection that is asked whether it is there. */
  readonly keepaliveCpuMs: number;
  readonly idleConnectionBytes: number;
  /** A gateway with nobody connected. */
  readonly gatewayBytes: number;
  /** How long a transaction keeps all others waiting: by itself, and for each row that it writes. */
  readonly transactionMs: number;
  readonly writtenRowMs: number;
  /** Of each gateway, for a row that another has changed. */
  readonly heardRowCpuMs: number;
  /** Of PostgreSQL, for a gateway that asks for changes, each second. */
  readonly pollDatabaseCpuMs: number;
}

export const costsFile = join(import.meta.dirname, 'measured.json');

/** Throws where nothing was measured. */
export const getCosts = (): Costs => JSON.parse(readFileSync(costsFile, 'utf8')) as Costs;
