/** The rules about engines: registering, draining, removing. Who may, the commands say: admins. */
import type { GatewayError } from '../errors.ts';
import type { EngineRow, HostRow } from '../store/schema.ts';

export interface EngineToAdd {
  readonly name: string;
  readonly url: string;
  /** Folder below DATA/identities. */
  readonly tls?: string;
  /** The host on which `url` is. */
  readonly ssh?: HostRow;
  /** Over a network without TLS, on purpose. */
  readonly plaintext?: boolean;
  /** Account id. */
  readonly createdBy: string;
}

export interface AddedEngine {
  readonly engine: EngineRow;
  /** Why it could not be asked. */
  readonly unanswered?: GatewayError;
}

export interface Engines {
  /**
   * It is kept where it does not answer. Throws invalid-engine, engine-name-taken, too-many-engines, and for `ssh`
   * host-no-identity.
   */
  add(engine: EngineToAdd): Promise<AddedEngine>;
  /** In order of registering. */
  list(): Promise<readonly EngineRow[]>;
  /** Throws engine-not-found. */
  get(name: string): Promise<EngineRow>;
  /** No new sessions from then on, or again. Throws engine-not-found. */
  setDraining(name: string, draining: boolean): Promise<EngineRow>;
  /** With the grants, tags and rules of its containers. Throws engine-not-found. */
  remove(name: string): Promise<EngineRow>;
}

/** The port: asks an engine that is not registered yet. Throws what connecting throws. */
export type TryEngine = (engine: EngineRow) => Promise<void>;
