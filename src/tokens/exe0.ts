/** `exe0.PAYLOAD.SIGBLOB`: permissions that somebody signed with an SSH key, offline. */
import type { VerifiedSignature } from '../keys/verify-signature.ts';
import { decodeBase64url } from './base64url.ts';
import { MalformedToken } from './malformed-token.ts';
import { type Permissions, parsePermissions } from './permissions.ts';
import { parseSshsig, type Sshsig, verifySshsig } from './sshsig.ts';

export const maxTokenBytes = 8192;

export interface Exe0 {
  /** Byte for byte what was signed. */
  readonly payload: Buffer;
  readonly permissions: Permissions;
  readonly sshsig: Sshsig;
}

/** Reads it; nothing is verified yet. Throws MalformedToken. */
export function parseExe0(token: string): Exe0 {
  if (Buffer.byteLength(token) > maxTokenBytes) throw tooLong();
  const [prefix, payloadText, signatureText, ...more] = token.split('.');
  if (prefix !== 'exe0' || payloadText === undefined || signatureText === undefined || more.length > 0) {
    throw new MalformedToken('it is not exe0, payload and signature with a dot between');
  }
  const payload = decodeBase64url(payloadText);
  const sshsig = parseSshsig(decodeBase64url(signatureText));
  return { payload, permissions: parsePermissions(payload), sshsig };
}

const tooLong = () => new MalformedToken(`it is longer than ${maxTokenBytes} bytes`);

/** Undefined when the key inside did not sign exactly this payload. */
export function verifyExe0({ payload, sshsig }: Exe0): VerifiedSignature | undefined {
  return verifySshsig(sshsig, payload);
}

/** Throws MalformedToken when it gets too long. */
export function formatExe0(payload: Buffer, sshsigBlob: Buffer): string {
  const token = `exe0.${payload.toString('base64url')}.${sshsigBlob.toString('base64url')}`;
  if (token.length > maxTokenBytes) throw tooLong();
  return token;
}
