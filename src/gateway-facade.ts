/** A gateway as the program round it sees it, and that program as the gateway does. */
import type { Endpoint } from './commands/command.ts';
import type { Config } from './config/config.ts';
import type { GatewayMemory } from './gateway-memory.ts';
import type { Workers } from './gateway-workers.ts';
import type { EndForFault } from './platform/fault-owner.ts';
import type { Address } from './sessions/session.ts';

export interface Gateway {
  readonly sshAddress: Address;
  readonly httpAddress: Address | undefined;
  readonly healthAddress: Address | undefined;
  readonly metricsAddress: Address | undefined;
  readonly httpScheme: 'http' | 'https';
  /** `TYPE BASE64` and fingerprint of each host key, best first. */
  readonly hostKeys: readonly {
    readonly publicKey: string;
    readonly fingerprint: string;
    readonly type: string;
  }[];
  /** On an empty store: the code of a fresh invite for an admin. Undefined where `follows`: the one that was shown stays good. */
  readonly firstInviteCode: string | undefined;
  readonly endpoint: Endpoint;
  /** For an error that nothing caught: ends what began it. */
  readonly endForFault: EndForFault;
  /** The same for one that nobody began: it is only counted. */
  noteFault(): void;
  /** Resolves to why containers are unavailable, or to undefined when the engine answers. */
  engineProblem(): Promise<string | undefined>;
  /** Reads the configuration anew, and resolves to what to say about it. Throws invalid-config: then it stays as it was. */
  reload(): Promise<string>;
  /**
   * Says so in its health, and takes nobody in any more from config's `drainDelaySeconds` on. Resolves when nothing runs,
   * when config's `drainTimeoutSeconds` are over after that, or when `hurry` is aborted; `stop` ends the rest.
   */
  drain(hurry?: AbortSignal): Promise<void>;
  /**
   * To be asked before it hands over: resolves to whether a restore holds, for which it is to end instead. Where none does, none
   * begins any more.
   */
  isRestored(): Promise<boolean>;
  /**
   * Leaves its workers, and all that only one may have open, to a successor; resolves to what that must know. What is open in
   * workers of supervisors before this one ends after `timeoutMs`.
   */
  handOver(timeoutMs?: number): Promise<unknown>;
  /** Ends everything; sessions have `graceMs` to say goodbye, and are told `reason`. */
  stop(graceMs?: number, reason?: string): Promise<void>;
}

/** What the program round a gateway does for it. */
export interface GatewayProgram {
  /** `gateway` of what the one before handed over. */
  readonly memory?: GatewayMemory | undefined;
  /** The gateway goes on in place of one that served, by a restart or after a crash: nobody is shown what it says of itself. */
  readonly follows?: boolean;
  /** Throws invalid-config. */
  readonly readConfig: () => Config;
  /** Stops this gateway and starts another; unset: nobody would, so that it is not asked for. */
  readonly restart?: () => void;
  /** Has a successor take over. Resolves when it is in charge, rejects with a sentence where all stays as it is. What is open ends after `timeoutMs`. */
  readonly replace?: (timeoutMs?: number) => Promise<void>;
  /** Of the process that an operator stops, where it is not this one. */
  readonly pid?: number;
  /** Serve what is let in; unset: this process does. */
  readonly workers?: Workers;
  /** A listener (named as below) was opened, here and not by another; `handle` is what Node passes on. */
  readonly onListening?: (name: string, handle: unknown) => void;
  /** File descriptors that listen already, by listener (`ssh`, `http`, `health`); each is used where that listener is configured. */
  readonly inheritedSockets?: ReadonlyMap<string, number>;
}
