/** The token in a request for a container, and the headers without it. */
import { GatewayError } from '../../errors.ts';
import { findBasicToken, findBearerToken } from '../../tokens/bearer.ts';
import { type Headers, valuesOf } from './header-rules.ts';

export interface FoundToken {
  /** Undefined: there is none. */
  readonly token: string | undefined;
  /** Without the header that carried it. */
  readonly rest: Headers;
}

const carriers: readonly (readonly [name: string, find: (value: string) => string | undefined])[] = [
  ['x-exedev-authorization', findBearerToken],
  ['authorization', (value) => findBearerToken(value) ?? findBasicToken(value)?.token],
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
