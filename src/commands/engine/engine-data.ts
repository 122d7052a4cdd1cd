/** Engines as JSON and tables show them. */
import { keysOfEngine } from '../../engines/engine-names.ts';
import type { FoundSessions } from '../../sessions/session-directory.ts';
import type { EngineRow } from '../../store/schema.ts';
import { ownEngineName } from '../../targets/engine-names.ts';
import type { EngineStatus } from '../../targets/joined-engine.ts';
import type { CommandContext } from '../command.ts';

export type EngineData = Awaited<ReturnType<typeof describeEngines>>[number];

/** All of them, the configuration's first. */
export async function describeEngines(context: CommandContext) {
  const [rows, hosts, statuses, open] = await Promise.all([
    context.engines.list(),
    context.hosts.list(),
    context.engine.statuses(),
    context.sessions.find({}),
  ]);
  const hostNames = new Map(hosts.map(({ id, slug }) => [id, slug]));
  const statusOf = (name: string | undefined) => statuses.find((status) => status.name === name);
  const own = {
    ...facts(ownEngineName, statusOf(undefined)),
    address: context.config.docker ?? null,
    way: 'configuration',
    draining: false,
    sessions: countIn(open, undefined),
  };
  const others = rows.map((row) => ({
    ...facts(row.name, statusOf(row.name)),
    address: row.url,
    way: wayOf(row, hostNames),
    draining: row.draining === true,
    sessions: countIn(open, row.name),
  }));
  return [own, ...others];
}

const facts = (name: string, status: EngineStatus | undefined) => ({
  name,
  state: status?.state ?? ('unknown' as const),
  since: status?.since ?? null,
  problem: status?.fault?.message ?? null,
  containers: status?.containers ?? null,
});

function wayOf({ url, tls, ssh }: EngineRow, hostNames: ReadonlyMap<string, string>): string {
  if (ssh !== undefined) return `ssh ${hostNames.get(ssh) ?? ssh}`;
  if (tls !== undefined) return `tls ${tls}`;
  return url.startsWith('unix:') ? 'socket' : 'plaintext';
}

/** How many run now in containers of that engine. */
export const countSessions = async ({ sessions }: Pick<CommandContext, 'sessions'>, name: string) =>
  countIn(await sessions.find({}), name);

/** Undefined: the configuration's engine. */
const countIn = ({ sessions }: FoundSessions, name: string | undefined) =>
  sessions.filter(({ targetKey = '' }) =>
    name === undefined ? /^container:[^/]*$/.test(targetKey) : targetKey.startsWith(keysOfEngine(name)),
  ).length;
