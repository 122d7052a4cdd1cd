/**
 * A JWT (RFC 7519) that carries an exe1 handle. It is signed with HS256 under a key derived from that handle, so the
 * gateway keeps no secret for it, and whoever has not seen the JWT cannot make one. What the handle is good for, and
 * until when, its row says.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { derivedFrom, isHandle } from './handles.ts';

export interface Jwt {
  readonly handle: string;
  /** Unix seconds. */
  readonly exp: number;
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

const start = `${encode({ alg: 'HS256', typ: 'JWT' })}.`;
const longest = 256;

export function formatJwt({ handle, exp }: Jwt): string {
  const signed = `${start}${encode({ jti: handle, exp })}`;
  return `${signed}.${createHmac('sha256', derivedFrom(handle, 'jwt')).update(signed).digest('base64url')}`;
}

/**
 * Undefined unless `token` is, letter for letter, what `formatJwt` writes: no other algorithm, claim or spelling is
 * ever looked at. Whether there is such a handle, and whether `exp` is its own, is not known yet.
 */
export function parseJwt(token: string): Jwt | undefined {
  if (!token.startsWith(start) || token.length > longest) return undefined;
  const jwt = parseClaims(token.slice(start.length).split('.', 1)[0] ?? '');
  if (!jwt) return undefined;
  const [shown, sound] = [Buffer.from(token), Buffer.from(formatJwt(jwt))];
  return shown.length === sound.length && timingSafeEqual(shown, sound) ? jwt : undefined;
}

function parseClaims(text: string): Jwt | undefined {
  try {
    const { jti, exp } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>;
    if (typeof jti !== 'string' || !isHandle(jti) || !Number.isSafeInteger(exp)) return undefined;
    return { handle: jti, exp: exp as number };
  } catch {
    return undefined;
  }
}
