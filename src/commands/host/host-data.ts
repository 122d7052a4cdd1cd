import { isIPv6 } from 'node:net';
import { usersOf } from '../../hosts/host-target.ts';
import { describeHostKey } from '../../hosts/pinned-keys.ts';
import type { HostRow } from '../../store/schema.ts';
import type { CommandContext, CommandServices } from '../command.ts';
import { textTable } from '../interpreter/text-table.ts';

type Surroundings = Pick<CommandServices, 'config' | 'endpoint'>;

export type HostData = ReturnType<typeof hostData>;

/** Hosts as JSON shows them to whoever asks: the way in that is theirs. */
export async function describeHosts(
  hosts: readonly HostRow[],
  context: CommandContext,
): Promise<readonly HostData[]> {
  const endToEnd = new Set(
    (await context.authorizer.endToEndHosts(context.principal, hosts)).map(({ id }) => id),
  );
  const atAddress = Map.groupBy(await listHosts(context), addressOf);
  return hosts.map((host) =>
    hostData(
      host,
      {
        mayGoEndToEnd: endToEnd.has(host.id),
        isAlone: (atAddress.get(addressOf(host)) ?? []).every(({ id }) => id === host.id),
      },
      context,
    ),
  );
}

const addressOf = ({ hostname, port }: HostRow) => `${hostname.toLowerCase()} ${port}`;

interface Standing {
  readonly mayGoEndToEnd: boolean;
  /** No other host within reach has its address: that names it. */
  readonly isAlone: boolean;
}

export async function describeHost(host: HostRow, context: CommandContext): Promise<HostData> {
  const [data] = await describeHosts([host], context);
  return data as HostData;
}

function hostData(host: HostRow, { mayGoEndToEnd, isAlone }: Standing, surroundings: Surroundings) {
  const through = hasGatewayKey(host) || !mayGoEndToEnd;
  return {
    id: host.id,
    name: host.name,
    slug: host.slug,
    hostname: host.hostname,
    port: host.port,
    username: host.username,
    users: usersOf(host),
    identity_file: host.identityFile ?? null,
    egress_key: host.egressKey === true,
    way: through ? ('through-the-gateway' as const) : ('end-to-end' as const),
    ssh_command: through ? throughCommand(host, surroundings) : jumpCommand(host, isAlone, surroundings),
    pinned: host.hostKeys !== undefined,
    host_keys: (host.hostKeys ?? []).map(describeHostKey),
    ports: host.ports,
    via: host.via ?? null,
    shared: host.shared,
    created_at: host.createdAt,
  };
}

export function hostTable(hosts: readonly HostData[]): string {
  const lines = hosts.map((host) => [
    host.name,
    `${host.username}@${bracketed(host.hostname)}:${host.port}`,
    wayText(host),
    host.ssh_command,
  ]);
  return textTable(['HOST', 'ADDRESS', 'WAY', 'CONNECT'], lines);
}

/** `through the gateway (unpinned)`. */
export function wayText({ way, pinned }: HostData): string {
  if (way === 'end-to-end') return 'end to end';
  return `through the gateway${pinned ? '' : ' (unpinned)'}`;
}

/** One line for each key. */
export const keyLines = (keys: readonly { readonly type: string; readonly fingerprint: string }[]) =>
  keys.map(({ type, fingerprint }) => `  ${fingerprint} (${type})`);

/** The hosts that the principal reaches, in order of name. */
export async function listHosts({
  hosts,
  authorizer,
  principal,
}: CommandContext): Promise<readonly HostRow[]> {
  const reachable = await authorizer.reachableHosts(principal, await hosts.list());
  return reachable.toSorted((a, b) => (a.slug < b.slug ? -1 : 1));
}

const hasGatewayKey = ({ identityFile, egressKey }: HostRow) =>
  identityFile !== undefined || egressKey === true;

/** The gateway logs in to the host: with its own key, or else with the person's agent. */
function throughCommand(host: HostRow, { config, endpoint }: Surroundings): string {
  const { host: gateway, port } = endpoint();
  const agent = hasGatewayKey(host) ? '' : '-A ';
  return `ssh ${agent}${portFlag(port)}${config.targetPrefix}${host.slug}@${gateway}`;
}

/** The person logs in, with their own key, through a jump. */
function jumpCommand(
  { username, hostname, port, slug }: HostRow,
  isAlone: boolean,
  { config, endpoint }: Surroundings,
): string {
  const gateway = endpoint();
  const jump = gateway.port === 22 ? gateway.host : `${bracketed(gateway.host)}:${gateway.port}`;
  return `ssh -J ${jump} ${portFlag(port)}${username}@${isAlone ? hostname : config.targetPrefix + slug}`;
}

const portFlag = (port: number) => (port === 22 ? '' : `-p ${port} `);
const bracketed = (host: string) => (isIPv6(host) ? `[${host}]` : host);
