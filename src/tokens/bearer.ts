import { maxTokenBytes } from './exe0.ts';

/** The token of `Authorization: Bearer TOKEN` (RFC 6750 §2.1); undefined when there is none. */
export function findBearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length > maxTokenBytes + 'Bearer '.length)
    return undefined;
  return /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization)?.[1];
}
