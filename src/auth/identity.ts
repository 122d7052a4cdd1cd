/**
 * Who somebody is, proven. Invariant: `provenIdentity` is called only in auth/, after a
 * signature was verified; a unit test reads the import lines and fails on any other caller.
 */
import type { CertificateStanding } from '../certificate-authorities/standing.ts';
import type { Address } from '../sessions/session.ts';
import type { KeyRestrictions } from '../store/schema.ts';

declare const proven: unique symbol;

/** What a certificate said, for an identity that came in by one. There is no row of a key behind it. */
export interface CertificateFacts extends CertificateStanding {
  readonly caName: string;
  /** `ssh-ed25519-cert-v01@openssh.com`, … */
  readonly type: string;
  /** `TYPE BASE64` of the key that is certified. */
  readonly publicKey: string;
  /** From critical options, and from the extensions that are absent. */
  readonly restrictions: KeyRestrictions;
}

/** What a token says, for an identity that came in by one. */
export interface TokenFacts {
  /** The commands it allows; the defaults where it names none. */
  readonly cmds: readonly string[];
  /** Unix seconds: good for nothing from that second on. */
  readonly exp?: number;
  /** Unix seconds: its key, or what was shown in its stead after an exchange, ends sooner, and takes with it what is open. */
  readonly until?: number;
  /** The only container it is for, as its signer wrote the name; absent: it is for commands. */
  readonly container?: string;
  /** JSON that goes to the container's HTTP server, byte for byte as signed. */
  readonly ctx?: Buffer;
}

export interface Identity {
  readonly [proven]: true;
  readonly accountId: string;
  /** The account's name when it logged in; for display only. Rights are looked up by id each time. */
  readonly accountName: string;
  /** Of the key's row; `ca:NAME:SERIAL` for a certificate. */
  readonly keyId: string;
  /** `SHA256:…` of the key that signed. */
  readonly fingerprint: string;
  /** ISO 8601: when the registered key ends that it came in by. */
  readonly keyExpiresAt?: string;
  /** It came in by this certificate, not by a registered key. */
  readonly certificate?: CertificateFacts;
  /** It came in by a token that this key has signed, and may do no more than the token says. */
  readonly token?: TokenFacts;
  readonly source: Address;
  /** What the login showed of the account's second factor, where it has one. */
  readonly secondFactor?: 'proven' | 'remembered';
  /** An inner connection of a jump is bounded by the outer one's key as well. */
  readonly outer?: Identity;
}

export function provenIdentity(facts: Omit<Identity, typeof proven>): Identity {
  return Object.freeze({ ...facts }) as Identity;
}
