/** docs/scale.md. */
import { shown } from '../report/table.ts';
import type { Costs } from './costs.ts';
import type { World } from './world.ts';

export interface Row {
  readonly gateways: number;
  readonly sessionsEach: number;
  readonly memoryBytes: number;
  /** Of the processors, in the busiest hour, and when one gateway is gone. */
  readonly use: number;
  readonly useWithoutOne: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly deathP99Ms: number;
  readonly secondsAway: number | undefined;
  readonly refusals: number;
  readonly lockUse: number;
  readonly databaseUse: number;
}

export interface Page {
  readonly costs: Costs;
  readonly world: World;
  readonly rows: readonly Row[];
  /** The fewest that are planned for. */
  readonly enough: Row;
  /** As many, with maxStartups as it comes. */
  readonly withDefaults: Row;
  readonly rate: number;
  readonly day: readonly (readonly string[])[];
}

const percent = (part: number) => `${shown(part * 100)} %`;
const megabytes = (bytes: number) => `${shown(bytes / 1e6)} MB`;

const tableOf = (heads: readonly string[], lines: readonly (readonly string[])[]) =>
  [heads, heads.map((_, index) => (index === 0 ? '---' : '--:')), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');

const lineOf = (row: Row) => [
  String(row.gateways),
  shown(row.sessionsEach),
  megabytes(row.memoryBytes),
  percent(row.use),
  percent(row.useWithoutOne),
  shown(row.medianMs),
  shown(row.p99Ms),
  shown(row.deathP99Ms),
  row.secondsAway === undefined ? 'over 220' : String(row.secondsAway),
  percent(row.lockUse),
  percent(row.databaseUse),
];

export function pageOf({ costs, world, rows, enough, withDefaults, rate, day }: Page): string {
  const startups = ({ start, ratePercent, full }: World['maxStartups']) => `${start}:${ratePercent}:${full}`;
  return `# A million accounts, a hundred thousand sessions

Written by \`node bench/scale/run.ts\`: a simulation, event by event and the same for the same seed, from costs that
\`node bench/scale/measure.ts\` measured. Nobody has run this many; what is assumed is listed, and easily changed in \`bench/scale/world.ts\`.

**${enough.gateways} gateways of ${world.coresPerGateway} cores and one PostgreSQL of ${world.coresOfDatabase} cores** are the fewest that stay at ${percent(world.plannedUse)} of their
processors or less in the busiest hour when one of them is gone, and have its clients back in ${enough.secondsAway} s. Each has ${shown(enough.sessionsEach)} sessions and ${megabytes(enough.memoryBytes)}
of memory in use; the database is busy for ${percent(enough.databaseUse)}, the one lock of all who write for ${percent(enough.lockUse)}.

${tableOf(['gateways', 'sessions each', 'memory', 'processors', 'one gone', 'login, median ms', '99 %', '99 %, one dies', 'all back, s', 'lock', 'database'], rows.map(lineOf))}

![99 of 100 logins, by gateways](scale.svg)

The network and the client's own work are ${shown((6 * world.roundTripSeconds + world.clientSeconds) * 1000)} ms of each login. When one dies, its clients come back within ${world.reconnectSeconds} s, and those that
are refused (\`maxStartups\`) try again; refused were ${enough.refusals} with \`${startups(world.maxStartups)}\`. **With the default, 10:30:100, ${withDefaults.refusals} tries are refused
and the last are back after ${withDefaults.secondsAway ?? 'more than 220'} s**: set \`maxStartups\` for so many.

## A day of ${enough.gateways} gateways

${tableOf(['at', 'logins a second', 'sessions', 'processors', 'login, 99 %, ms', 'lock'], day)}

## Measured

${costs.measuredOn}. Processor time is of the whole tree of processes (one worker). A busy machine makes all of it dearer, never cheaper.

${tableOf(
  ['cost', 'figure'],
  [
    ['a login of a key not kept: gateway', `${shown(costs.loginCpuMs)} ms of a processor`],
    [
      'the same: PostgreSQL, with the note of its use',
      `${shown(costs.loginDatabaseCpuMs)} ms of a processor`,
    ],
    ['an idle connection', `${shown(costs.idleConnectionBytes / 1000)} kB`],
    ['asking it whether it is there', `${shown(costs.keepaliveCpuMs)} ms of a processor`],
    ['a gateway without connections', megabytes(costs.gatewayBytes)],
    ['a transaction: under the lock of all', `${shown(costs.transactionMs)} ms`],
    ['each row in it', `${shown(costs.writtenRowMs)} ms`],
    ['hearing of a row: each other gateway', `${shown(costs.heardRowCpuMs)} ms of a processor`],
    [
      'asking for changes: PostgreSQL, each gateway',
      `${shown(costs.pollDatabaseCpuMs)} ms of a processor a second`,
    ],
  ],
)}

## Assumed

- ${shown(world.accounts)} accounts, each with ${world.commandsPerDay} single commands a day (git, CI); ${shown(world.sessions)} sessions of ${shown(world.sessionSeconds / 60)} min at the peak, which has ${world.peakOverMean} times the
  day's mean: ${shown(rate)} logins a second. ${world.changesPerThousandPerDay} changes a day for a thousand accounts.
- Logins and what they ask of the database take exponentially spread times round the measured mean; a cache never helps.
- An open session takes ${shown(world.sessionCpuShare * 100)} % of a core for what it carries. **This decides the number of gateways**: bulk copies cost more, see \`bench/RESULTS.md\`.
- A client asks again ${world.retrySeconds} s after a refusal, at random. Cores are those of the machine that measured. Containers and their engines are not in it.
- The lock is held as long as here, at the best of 40 transactions over a unix socket: a database on another machine adds its round trips to each. Memory is
  that of one worker and idle connections; each further worker, and what sessions carry, come on top.
- The counting of an account's sessions over all gateways is not in it: 0.4 ms at a session's start, and 0.2 ms of a processor for PostgreSQL and for the gateway each.
- The balancer spreads evenly, and notices a death at once. The database does not fail over here.
`;
}
