/** What a client of the matrix can do. One file per client; `matrix.ts` lists them. */
import type { Outcome, RunOptions } from '../../support/ssh-client.ts';

export const keyTypes = ['ed25519', 'ecdsa', 'rsa'] as const;
export type KeyType = (typeof keyTypes)[number];

export const columns = [
  ...keyTypes,
  'exec',
  'pty',
  'env',
  '50 MB',
  'files',
  'keepalive',
  'rekey',
  'rekeyed',
  'forward',
] as const;
export type Column = (typeof columns)[number];

/** Where and as whom, and what the client is told to do beside its work. */
export interface Visit {
  readonly port: number;
  readonly login: string;
  /** A private key as ssh-keygen writes it. */
  readonly key: string;
  readonly knownHosts: string;
  /** `SHA256:…` of the gateway's ed25519 host key. */
  readonly hostKeyFingerprint: string;
  /** A folder for what the client must be given as a file; it goes with the visit. */
  readonly folder: string;
  readonly pty?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Buffer;
  readonly timeoutMs?: number;
  readonly keepaliveSeconds?: number;
  /** The client is to exchange keys anew after as many bytes, or sooner. */
  readonly rekeyBytes?: number;
}

/** `status` 255 when it could not even try. */
export interface Client {
  readonly name: string;
  readonly version: () => Promise<string>;
  /** Runs a command there; absent when the client transfers files only. */
  readonly exec?: (visit: Visit, command: string) => Promise<Outcome>;
  /** Connects to a port of the container's loopback, as -L does: stdin goes there, what comes back is the output. */
  readonly forward?: (visit: Visit, port: number) => Promise<Outcome>;
  readonly put?: (visit: Visit, local: string, remote: string) => Promise<Outcome>;
  readonly get?: (visit: Visit, remote: string, local: string) => Promise<Outcome>;
  /** What the client itself cannot do, in a few words for the table. The matrix checks that it is so. */
  readonly limits: Partial<Readonly<Record<Column, string>>>;
}

/** The limit of a client that runs no commands. */
export const filesOnly = 'files only';

/** What of a visit is for the local program, not for the other side. */
export const locally = ({ stdin, timeoutMs }: Visit): RunOptions => ({
  ...(stdin === undefined ? {} : { stdin }),
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
});
