import { isIPv6 } from 'node:net';
import type { HostRow } from '../../store/schema.ts';
import type { CommandContext, CommandServices } from '../command.ts';
import { textTable } from '../interpreter/text-table.ts';

type Surroundings = Pick<CommandServices, 'config' | 'endpoint'>;

/** A host as JSON shows it. */
export function hostData(host: HostRow, surroundings: Surroundings) {
  return {
    id: host.id,
    name: host.name,
    slug: host.slug,
    hostname: host.hostname,
    port: host.port,
    username: host.username,
    identity_file: host.identityFile ?? null,
    ssh_command: sshCommand(host, surroundings),
    ports: host.ports,
    via: host.via ?? null,
    shared: host.shared,
    created_at: host.createdAt,
  };
}

export function hostTable(hosts: readonly HostRow[], surroundings: Surroundings): string {
  const lines = hosts.map((host) => [
    host.name,
    `${host.username}@${bracketed(host.hostname)}:${host.port}`,
    host.identityFile === undefined ? 'end to end' : 'through the gateway',
    sshCommand(host, surroundings),
  ]);
  return textTable(['HOST', 'ADDRESS', 'WAY', 'CONNECT'], lines);
}

/** The hosts that the principal reaches, in order of name. */
export async function listHosts({
  hosts,
  authorizer,
  principal,
}: CommandContext): Promise<readonly HostRow[]> {
  const reachable = await authorizer.reachableHosts(principal, await hosts.list());
  return reachable.toSorted((a, b) => (a.slug < b.slug ? -1 : 1));
}

/** With an identity the gateway logs in to the host; else the person does, with their own key, through a jump. */
function sshCommand(
  { username, hostname, port, slug, identityFile }: HostRow,
  { config, endpoint }: Surroundings,
): string {
  const gateway = endpoint();
  if (identityFile !== undefined) {
    return `ssh ${portFlag(gateway.port)}${config.targetPrefix}${slug}@${gateway.host}`;
  }
  const jump = gateway.port === 22 ? gateway.host : `${bracketed(gateway.host)}:${gateway.port}`;
  return `ssh -J ${jump} ${portFlag(port)}${username}@${hostname}`;
}

const portFlag = (port: number) => (port === 22 ? '' : `-p ${port} `);
const bracketed = (host: string) => (isIPv6(host) ? `[${host}]` : host);
