/** The rules about hosts: registering, finding, trusting, removing. Who reaches which, the authorizer says. */
import type { GatewayError } from '../errors.ts';
import type { HostRow } from '../store/schema.ts';
import type { HostTarget } from '../targets/target.ts';
import type { Destination } from './destination.ts';

export interface HostToAdd extends Destination {
  readonly name: string;
  /** Whom the gateway may log in as, beside `username`. */
  readonly users?: readonly string[];
  /** Below DATA/identities, or its full path there. */
  readonly identityFile?: string;
  readonly egressKey?: boolean;
  /** Instead of those that it shows. */
  readonly hostKeys?: readonly string[];
  readonly ports: readonly number[];
  /** A host that the registrant may reach. */
  readonly via?: HostRow;
  readonly shared: boolean;
}

/** An admin may register any host; a member none with the gateway's keys, and no address of the gateway's own networks. */
export interface Registrant {
  readonly accountId: string;
  readonly isAdmin: boolean;
}

export interface AddedHost {
  readonly host: HostRow;
  /** Why its host keys are not known: it is unpinned. */
  readonly unpinned?: GatewayError;
}

export interface Hosts {
  /**
   * Pins the host keys that are given, or else those that the host shows; where it shows none it is kept unpinned. Throws
   * invalid-host, host-name-taken, host-address-refused, host-via-refused, too-many-hosts, not-allowed.
   */
  add(host: HostToAdd, registrant: Registrant): Promise<AddedHost>;
  /** In order of registering. */
  list(): Promise<readonly HostRow[]>;
  /** As what sessions and forwards end in. Throws host-via-refused. */
  asTarget(host: HostRow): Promise<HostTarget>;
  /** Throws invalid-host, host-name-taken, host-not-found. */
  rename(host: HostRow, name: string): Promise<HostRow>;
  /** The host keys that it shows now. Throws host-unreachable, host-address-refused, host-via-refused. */
  scan(host: HostRow): Promise<readonly string[]>;
  /** From now on it proves itself with one of these, each `TYPE BASE64`. Throws host-not-found. */
  pin(host: HostRow, hostKeys: readonly string[]): Promise<HostRow>;
  /** With its grants and tags. Throws host-in-use while others are reached through it. */
  remove(host: HostRow): Promise<void>;
}

/** The port: which host keys a host shows. Throws host-unreachable, host-address-refused. */
export type ScanHost = (host: HostTarget) => Promise<readonly string[]>;

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
