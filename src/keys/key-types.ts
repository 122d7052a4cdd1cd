/** What a public key is once it has been decoded in full. */

export interface PublicKey {
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`, … (RFC 4253 §6.6, RFC 5656, RFC 8709, OpenSSH's PROTOCOL.u2f). */
  readonly type: string;
  /** The key blob of RFC 4253 §6.6. */
  readonly blob: Buffer;
  /** `TYPE BASE64`, canonical, without comment. */
  readonly line: string;
  /** `SHA256:…`, as ssh-keygen -l prints it. */
  readonly fingerprint: string;
  readonly bits: number;
  /** Of a security key (FIDO) only: what it signs for, as a rule `ssh:`. */
  readonly application?: string;
}
