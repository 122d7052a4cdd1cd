/** Engines as JSON and tables show them. */
import { keysOfEngine } from '../../engines/engine-names.ts';
import type { EngineRow } from '../../store/schema.ts';
import { ownEngineName } from '../../targets/engine-names.ts';
import type { EngineStatus } from '../../targets/joined-engine.ts';
import type { CommandContext } from '../command.ts';

export type EngineData = Awaited<ReturnType<typeof describeEngines>>[number];

/** All of them, the configuration's first. */
export async function describeEngines(context: CommandContext) {
  const [rows, hosts, statuses] = await Promise.all([
    context.engines.list(),
    context.hosts.list(),
    context.engine.statuses(),
  ]);
  const hostNames = new Map(hosts.map(({ id, slug }) => [id, slug]));
  const statusOf = (name: string | undefined) => statuses.find((status) => status.name === name);
  const own = {
    ...facts(ownEngineName, statusOf(undefined)),
    address: context.config.docker ?? null,
    way: 'configuration',
    draining: false,
    sessions: openSessions(context, undefined),
  };
  const others = rows.map((row) => ({
    ...facts(row.name, statusOf(row.name)),
    address: row.url,
    way: wayOf(row, hostNames),
    draining: row.draining === true,
    sessions: openSessions(context, row.name),
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

/** What runs now in containers of that engine; undefined: the configuration's. */
export const openSessions = (
  { connections }: Pick<CommandContext, 'connections'>,
  name: string | undefined,
) =>
  connections.listSessions().filter(({ authorization }) => {
    const key = authorization?.target.key ?? '';
    return name === undefined ? /^container:[^/]*$/.test(key) : key.startsWith(keysOfEngine(name));
  }).length;
