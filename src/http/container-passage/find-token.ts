/** The token in a request for a container, and the headers without it. */
import { GatewayError } from '../../errors.ts';
import { findBearerToken } from '../../tokens/bearer.ts';
import { maxTokenBytes } from '../../tokens/exe0.ts';
import { type Headers, valuesOf } from './header-rules.ts';

export interface FoundToken {
  /** Undefined: there is none. */
  readonly token: string | undefined;
  /** Without the header that carried it. */
  readonly rest: Headers;
}

const carriers: readonly (readonly [name: string, find: (value: string) => string | undefined])[] = [
  ['x-exedev-authorization', findBearerToken],
  ['authorization', (value) => findBearerToken(value) ?? findBasicPassword(value)],
];

/** The first of the headers that may carry it decides. Throws malformed-request when that one is there twice. */
export function findToken(headers: Headers): FoundToken {
  for (const [carrier, find] of carriers) {
    const [value, ...more] = valuesOf(headers, carrier);
    if (value === undefined) continue;
    if (more.length > 0) {
      throw new GatewayError('malformed-request', { problem: `${carrier} is there twice; send it once.` });
    }
    return { token: find(value), rest: headers.filter(([name]) => name.toLowerCase() !== carrier) };
  }
  return { token: undefined, rest: headers };
}

const maxUserBytes = 256;
const maxBasicLength = 'Basic '.length + Math.ceil((maxUserBytes + 1 + maxTokenBytes) / 3) * 4;

/** The password of `Authorization: Basic` (RFC 7617), whoever the user is: git sends tokens so. */
function findBasicPassword(authorization: string): string | undefined {
  if (authorization.length > maxBasicLength) return undefined;
  const encoded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const [, password] = /^[^:]*:([\w.~+/-]+=*)$/.exec(Buffer.from(encoded, 'base64').toString('latin1')) ?? [];
  return password;
}
