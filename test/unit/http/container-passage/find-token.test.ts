import { describe, expect, it } from 'vitest';
import { findToken } from '../../../../src/http/container-passage/find-token.ts';

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const own: [string, string] = ['X-Exedev-Authorization', 'Bearer exe1.own'];
const bearer: [string, string] = ['Authorization', 'Bearer exe1.bearer'];
const accept: [string, string] = ['Accept', '*/*'];

describe('the header that carries the token is removed, and no other', () => {
  it('X-Exedev-Authorization comes first, and leaves Authorization to the container', () => {
    expect(findToken([bearer, accept, own])).toEqual({ token: 'exe1.own', rest: [bearer, accept] });
  });

  it('then Authorization: Bearer', () => {
    expect(findToken([accept, bearer])).toEqual({ token: 'exe1.bearer', rest: [accept] });
  });

  it('then the password of Authorization: Basic, whoever the user is', () => {
    expect(findToken([['authorization', basic('x', 'exe0.a_-b.c')]])).toEqual({
      token: 'exe0.a_-b.c',
      rest: [],
    });
    expect(findToken([['authorization', basic('', 'exe1.b')]]).token).toBe('exe1.b');
  });

  it('without any of them there is none', () => {
    expect(findToken([accept])).toEqual({ token: undefined, rest: [accept] });
  });
});

describe('a header that might carry it and carries none', () => {
  it.each([
    'Basic',
    'Basic !!!',
    `Basic ${Buffer.from('no colon').toString('base64')}`,
    basic('x', 'a b'),
    basic('x', `e${'x'.repeat(20_000)}`),
    'Bearer',
    'Bearer a b',
    'Digest username="x"',
    '',
  ])('%j holds no token, and is removed', (value) => {
    expect(findToken([['Authorization', value]])).toEqual({ token: undefined, rest: [] });
  });

  it('an unusable X-Exedev-Authorization is not made good by another header', () => {
    expect(findToken([['X-Exedev-Authorization', 'nonsense'], bearer]).token).toBeUndefined();
  });

  it('underscore-header: X_Exedev_Authorization carries none', () => {
    expect(findToken([['X_Exedev_Authorization', 'Bearer exe1.x']]).token).toBeUndefined();
  });
});

it('two-tokens: a header that carries two is refused', () => {
  expect(() => findToken([bearer, ['authorization', 'Bearer exe1.other']])).toThrow('twice');
});
