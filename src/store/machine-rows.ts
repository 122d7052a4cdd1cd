/** Rows of what lies behind the gateway: servers, and engines of containers. */

/** A server that is reached through the gateway. */
export interface HostRow {
  readonly id: string;
  /** As it was typed: `Production DB`. */
  readonly name: string;
  /** Made of the name, and unique: `production-db`. Login names and ssh_config use it. */
  readonly slug: string;
  /** A DNS name or an address, without brackets. */
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  /** Whom sessions through the gateway may log in as, beside `username`. */
  readonly users?: readonly string[];
  /** Of the key that sessions through the gateway use: a path below DATA/identities. */
  readonly identityFile?: string;
  /** Sessions through the gateway may use its own egress key. */
  readonly egressKey?: boolean;
  /** `TYPE BASE64` of its pinned host keys; absent: unpinned, and the gateway itself does not log in there. */
  readonly hostKeys?: readonly string[];
  /** Ports, beside `port`, that may be forwarded to. */
  readonly ports: readonly number[];
  /** Id of the host that it is reached through. */
  readonly via?: string;
  /** Every account may reach it. */
  readonly shared: boolean;
  /** Account id of the registrant. */
  readonly createdBy: string;
  readonly createdAt: string;
}

/** A container engine beside the one that the configuration names. */
export interface EngineRow {
  readonly id: string;
  /** `[a-z][a-z0-9-]{0,31}`, unique: what stands before the names of its containers. */
  readonly name: string;
  /** `unix:///path` or `tcp://host:port`. */
  readonly url: string;
  /** Folder below DATA/identities that holds ca.pem, cert.pem and key.pem. */
  readonly tls?: string;
  /** Id of the registered host on which the path of `url` is. */
  readonly ssh?: string;
  /** No new sessions. */
  readonly draining?: boolean;
  /** Account id. */
  readonly createdBy: string;
  readonly createdAt: string;
}
