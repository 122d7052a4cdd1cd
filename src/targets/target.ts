/** The port: where a session can end. */
import type { Duplex, Writable } from 'node:stream';
import type { Authorization } from '../auth/authorization.ts';
import type { SessionHandler } from '../sessions/session.ts';
import type { HostRow } from '../store/schema.ts';
import type { OpenChanges } from './changes.ts';

export interface ContainerTarget {
  readonly kind: 'container';
  /** Full id, 64 hex digits. */
  readonly id: string;
  /** Docker's name, without the slash; on an engine that was registered, `ENGINE/NAME`. */
  readonly name: string;
  /** Of the engine that it is on; unset: the one that the configuration names. */
  readonly engine?: string;
  /** The shortest name that leads to it by ssh, for whoever it was listed for; unset: `name`. */
  readonly loginName?: string;
  /** `container:NAME`, with its engine's name in it as `name` has it: what grants and tags hang on. */
  readonly key: string;
  readonly image: string;
  /** `running`, `exited`, `paused`, `created`, `restarting`, `dead`. */
  readonly state: string;
  /** For people: `Up 3 hours`. */
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Address in the engine's network, for information. */
  readonly address?: string;
  readonly networkMode: string;
  readonly createdAt: string;
}

/** Which container is meant, on which engine: ids are an engine's own word. */
export type ContainerRef = Pick<ContainerTarget, 'id' | 'engine'>;

/** A registered host, as it is registered at the moment the target was made: one of an Authorization is of its moment. */
export interface HostTarget {
  readonly kind: 'host';
  readonly id: string;
  /** The slug: what login names use. */
  readonly name: string;
  /** `host:ID`: what grants and tags hang on. */
  readonly key: string;
  readonly host: HostRow;
  /** Registered by somebody who is an admin still: only then may it be in the gateway's own networks. */
  readonly byAdmin: boolean;
  /** What the gateway itself may log in there with; nothing unless `byAdmin`, whatever `host` says. */
  readonly gatewayKeys: {
    /** Below DATA/identities; to be checked at each use. */
    readonly identityFile: string | undefined;
    readonly egressKey: boolean;
  };
  /** The hosts that it is reached through, the nearest to the gateway first; none: straight from here. */
  readonly via: readonly HostTarget[];
}

export type Target = ContainerTarget | HostTarget;

export interface WebDialOptions {
  /** Whether the key may be forwarded to that port. */
  readonly mayOpen: (port: number) => boolean;
  /** Aborted when nobody wants the connection any more; the dial rejects with its reason. */
  readonly signal: AbortSignal;
}

/** As a socket is: with the bytes that went each way so far. */
export type CountedDuplex = Duplex & { readonly bytesRead: number; readonly bytesWritten: number };

export interface WebConnection {
  readonly socket: CountedDuplex;
  readonly port: number;
}

/** A script of the gateway's own, never a person's words: what varies are its arguments and stdin. */
export interface ContainerScript {
  /** For sh. HOME and USER are those of the user it runs as. */
  readonly script: string;
  readonly args?: readonly string[];
  readonly stdin?: Buffer;
  /** `default`: whoever sessions run as that name no user. */
  readonly user: 'root' | 'default';
  readonly withinMs: number;
  /** Ends it early. */
  readonly closed?: AbortSignal;
  /** More of stdout than that is dropped. */
  readonly maxOutputBytes: number;
  /** Both outputs as they come; whoever reads them slowly slows the script. */
  readonly progress?: Writable;
}

export interface ScriptEnd {
  readonly exitStatus: number;
  readonly stdout: Buffer;
  /** There was more than `maxOutputBytes`. */
  readonly truncated: boolean;
  /** The end of both outputs, in the order they came: a few KiB. */
  readonly lastOutput: string;
  readonly user: string;
}

/** What happened to a container: it was made, started, renamed. */
export interface ContainerEvent {
  readonly id: string;
}

/** Where a forward goes, as seen from inside the target: it is looked up and dialled there, never by the gateway. */
export type ForwardDestination = PortDestination | SocketDestination;

export interface PortDestination {
  /** A name or address; empty and `localhost`: the target's own loopback. */
  readonly host: string;
  readonly port: number;
}

/** A unix socket in the target's file system, entered with the rights of the user that was authorized. */
export interface SocketDestination {
  /** From `/` where it is relative, as with sshd; at most 4095 bytes, without NUL. */
  readonly path: string;
}

/**
 * Where we listen in the target. At a path nothing may exist yet; what is made is for its user alone and removed
 * with the listener.
 */
export type ListeningPlace = ForwardDestination | AgentPlace;

/** A socket in a folder of its own, which only its user may enter, where sshd has the agent's. */
export interface AgentPlace {
  /** Ten letters or digits: what the folder is called after `ssh-`, where that is free. */
  readonly agentFolder: string;
}

/** Somebody inside the target connected to where we listen there. */
export interface InboundConnection {
  readonly stream: Duplex;
  /** At a socket `-` and 0. */
  readonly address: string;
  readonly port: number;
}

export interface RemoteListener {
  /** What was asked for, or what was found where any would do. */
  readonly place: ForwardDestination;
  /** Called when it listens no more, whoever ended it. */
  onClose(listener: () => void): void;
  close(): void;
}

export interface ListOptions {
  /** As it is now. Otherwise it may be that of a moment ago, of a registered engine a second: whoever follows events by themselves may hear first. */
  readonly fresh?: boolean;
}

/** The engine behind container targets. */
export interface ContainerEngine {
  /** Every container, running or not. Throws `engine-unavailable`. */
  list(options?: ListOptions): Promise<readonly ContainerTarget[]>;
  start(container: ContainerRef): Promise<void>;
  /** SIGTERM, then SIGKILL after the engine's own grace (10 s). */
  stop(container: ContainerRef): Promise<void>;
  restart(container: ContainerRef): Promise<void>;
  /** Name or uid of the user that its programs run as unless told otherwise. Throws `container-gone`, `engine-unavailable`. */
  defaultUser(container: ContainerTarget): Promise<string>;
  /** A handler for one session in the container that was authorized. */
  openSession(authorization: Authorization<ContainerTarget>): SessionHandler;
  /**
   * Connects to the web server of the container that was authorized. Throws `web-refused`, `web-no-address`,
   * `web-port-invalid`, `web-port-closed`, `web-unreachable`, `container-not-running`, `container-gone`.
   */
  dialWeb(authorization: Authorization<ContainerTarget>, options: WebDialOptions): Promise<WebConnection>;
  /**
   * Runs a script in a running container, beside all sessions. Throws `container-not-running`, `container-gone`, `no-shell`,
   * `no-such-user`, `timed-out`, `session-ended` (closed early), `engine-unavailable`, `engine-failed`.
   */
  runScript(target: ContainerTarget, script: ContainerScript): Promise<ScriptEnd>;
  /**
   * Resolves when the engine tells of containers from now on. The iteration ends when the connection is lost, or when
   * `closed` aborts. Throws `engine-unavailable`, `engine-failed`.
   */
  openEvents(closed: AbortSignal): Promise<AsyncIterable<ContainerEvent>>;
  /** One stream of the engine's for all who open it here. Throws `engine-unavailable`, `engine-failed`. */
  readonly openChanges: OpenChanges;
  /**
   * Connects to the destination from inside the container that was authorized. Each side of the stream ends by itself.
   * Throws `forward-refused`, `forward-failed`, `too-many-forwards`, `sidecar-unavailable`, `container-not-running`,
   * `container-gone`; for a socket also `no-such-user`.
   */
  dial(authorization: Authorization<ContainerTarget>, destination: ForwardDestination): Promise<Duplex>;
  /**
   * Listens inside the container: on its loopback at `localhost`, everywhere at an empty host; port 0: any free one.
   * Each connection must be consumed or destroyed. Throws as `dial` does, for the agent `agent-refused`.
   */
  listen(
    authorization: Authorization<ContainerTarget>,
    place: ListeningPlace,
    onConnection: (connection: InboundConnection) => void,
  ): Promise<RemoteListener>;
  /** Removes what a gateway that ended badly has left in the engine. */
  removeLeftovers(): Promise<void>;
  /** Resolves when the engine answers; throws `engine-unavailable`. */
  ping(): Promise<void>;
  /** Ends what is still running for sessions. */
  close(): Promise<void>;
}
