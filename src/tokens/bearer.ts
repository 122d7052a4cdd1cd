import { maxTokenBytes } from './exe0.ts';

/** The token of `Authorization: Bearer TOKEN` (RFC 6750 §2.1); undefined when there is none. */
export function findBearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length > maxTokenBytes + 'Bearer '.length)
    return undefined;
  return /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization)?.[1];
}

/** A token by itself, as `x-api-key: TOKEN` carries it. */
export function findToken(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? findBearerToken(`Bearer ${header}`) : undefined;
}

const maxUserBytes = 256;
const maxBasicLength = 'Basic '.length + Math.ceil((maxUserBytes + 1 + maxTokenBytes) / 3) * 4;

/** User and password of `Authorization: Basic` (RFC 7617) where the password can be a token, as git sends one. */
export function findBasicToken(
  authorization: string | undefined,
): { readonly user: string; readonly token: string } | undefined {
  if (authorization === undefined || authorization.length > maxBasicLength) return undefined;
  const encoded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization)?.[1] ?? '';
  const decoded = Buffer.from(encoded, 'base64').toString('latin1');
  const [, user, token] = /^([^:]*):([\w.~+/-]+=*)$/.exec(decoded) ?? [];
  return user === undefined || token === undefined ? undefined : { user, token };
}
