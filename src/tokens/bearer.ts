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
