/** The rules about hosts: registering, finding, removing. Who reaches which, the authorizer says. */
import type { HostRow } from '../store/schema.ts';
import type { HostTarget } from '../targets/target.ts';
import type { Destination } from './destination.ts';

export interface HostToAdd extends Destination {
  readonly name: string;
  /** Below DATA/identities, or its full path there. */
  readonly identityFile?: string;
  readonly ports: readonly number[];
  /** A host that the registrant may reach. */
  readonly via?: HostRow;
  readonly shared: boolean;
}

/** An admin may register any host; a member no identity file, and no address of the gateway's own networks. */
export interface Registrant {
  readonly accountId: string;
  readonly isAdmin: boolean;
}

export interface Hosts {
  /** Throws invalid-host, host-name-taken, host-address-refused, too-many-hosts, not-allowed. */
  add(host: HostToAdd, registrant: Registrant): Promise<HostRow>;
  /** In order of registering. */
  list(): Promise<readonly HostRow[]>;
  /** As what sessions and forwards end in. Throws host-via-refused. */
  asTarget(host: HostRow): Promise<HostTarget>;
  /** With its grants and tags. Throws host-in-use while others are reached through it. */
  remove(host: HostRow): Promise<void>;
}

/** What grants and tags of a host hang on. */
export const hostKey = ({ id }: Pick<HostRow, 'id'>): string => `host:${id}`;

/** Which of `hosts` an id, a slug or a name means: an id before a name, so that no name can stand in for another host. */
export function findHost(hosts: readonly HostRow[], text: string): HostRow | undefined {
  const folded = text.toLowerCase();
  return (
    hosts.find(({ id }) => id === text) ??
    hosts.find(({ slug, name }) => slug === folded || name.toLowerCase() === folded)
  );
}
