/** The JWT of an exchange as text: what it is made of, and everything that is none. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { derivedFrom } from '../../../src/tokens/handles.ts';
import { formatJwt, parseJwt } from '../../../src/tokens/jwt.ts';

const handle = `exe1.${'abcd2345'.repeat(4)}`;
const other = `exe1.${'bcde3456'.repeat(4)}`;
const exp = 1_800_000_000;
const jwt = formatJwt({ handle, exp });

const encode = (text: string | object) =>
  Buffer.from(typeof text === 'string' ? text : JSON.stringify(text)).toString('base64url');

/** Whatever header and claims, signed as its holder could. */
function signed(header: string | object, claims: string | object, { by = handle, hash = 'sha256' } = {}) {
  const data = `${encode(header)}.${encode(claims)}`;
  return `${data}.${createHmac(hash, derivedFrom(by, 'jwt')).update(data).digest('base64url')}`;
}
const header = { alg: 'HS256', typ: 'JWT' };
const claims = { jti: handle, exp };

it('is a JWT: three parts, the claims jti and exp, signed with HS256', () => {
  const [first = '', second = ''] = jwt.split('.');
  expect(JSON.parse(Buffer.from(first, 'base64url').toString())).toEqual(header);
  expect(JSON.parse(Buffer.from(second, 'base64url').toString())).toEqual(claims);
  expect(jwt).toBe(signed(header, claims));
  expect(parseJwt(jwt)).toEqual({ handle, exp });
});

describe('what is none', () => {
  const [head = '', body = '', signature = ''] = jwt.split('.');
  const none = encode({ alg: 'none', typ: 'JWT' });
  it.each([
    ['alg none, without a signature', `${none}.${body}.`],
    ['alg none, with the signature', `${none}.${body}.${signature}`],
    ['alg none, signed', signed({ alg: 'none', typ: 'JWT' }, claims)],
    ['alg NONE', signed({ alg: 'NONE', typ: 'JWT' }, claims)],
    ['alg HS512', signed({ alg: 'HS512', typ: 'JWT' }, claims, { hash: 'sha512' })],
    ['alg RS256', signed({ alg: 'RS256', typ: 'JWT' }, claims)],
    ['a header with a key of its own', signed({ ...header, jwk: { kty: 'oct', k: 'AA' } }, claims)],
    ['a header in another order', signed({ typ: 'JWT', alg: 'HS256' }, claims)],
    ['no signature', `${head}.${body}`],
    ['an empty signature', `${head}.${body}.`],
    ['a signature cut short', jwt.slice(0, -1)],
    ['a signature in another spelling', `${jwt}=`],
    ['a fourth part', `${jwt}.`],
    ['a stretched exp', `${head}.${encode({ jti: handle, exp: exp + 1 })}.${signature}`],
    ['the jti of another', `${head}.${encode({ jti: other, exp })}.${signature}`],
    ['the jti of another, signed with the own one', signed(header, { jti: other, exp })],
    ['more claims', signed(header, { ...claims, cmds: ['ssh'] })],
    ['claims twice', signed(header, `{"jti":"${handle}","exp":1,"exp":${exp}}`)],
    ['no exp', signed(header, { jti: handle })],
    ['an exp that is text', signed(header, { jti: handle, exp: String(exp) })],
    ['an exp that is no integer', signed(header, `{"jti":"${handle}","exp":${exp}.5}`)],
    ['a jti that is no handle', signed(header, { jti: 'exe1.', exp }, { by: 'exe1.' })],
    ['a jti that is a list', signed(header, { jti: [handle], exp })],
    ['claims that are no object', signed(header, 'null')],
    ['claims that are no JSON', signed(header, '{')],
    ['white space in the claims', signed(header, `{"jti":"${handle}", "exp":${exp}}`)],
    ['__proto__', signed(header, `{"__proto__":{"jti":"${handle}","exp":${exp}}}`)],
    ['longer than any', signed(header, { ...claims, x: 'a'.repeat(8000) })],
    ['8 MB', `${head}.${'a'.repeat(8_000_000)}.${signature}`],
    ['two in one', `${jwt} ${jwt}`],
    ['nothing', ''],
  ])('%s', (_what, token) => {
    expect(parseJwt(token)).toBeUndefined();
  });

  it('a bit changed anywhere', () => {
    for (let at = 0; at < jwt.length; at++) {
      const changed = jwt.slice(0, at) + (jwt[at] === 'A' ? 'B' : 'A') + jwt.slice(at + 1);
      expect(parseJwt(changed)).toBeUndefined();
    }
  });
});
