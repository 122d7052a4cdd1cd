import { describe, expect, it } from 'vitest';
import {
  mayBeDestination,
  mayBePlace,
  permitsDestination,
  permitsListening,
} from '../../../src/sessions/forwarding.ts';

describe('destinations', () => {
  it.each(['localhost', '', '10.0.0.1', '::1', 'fe80::1%eth0', 'db_1.internal'])('%j may be one', (host) => {
    expect(mayBeDestination({ host, port: 80 })).toBe(true);
  });

  it.each(['a b', 'a\n', 'a/b', 'a?b', 'ä', '$(id)', 'x'.repeat(256)])('%j is none', (host) => {
    expect(mayBeDestination({ host, port: 80 })).toBe(false);
  });

  it('ports are 1 to 65535; 0 is only a place to listen', () => {
    for (const port of [0, 65_536, 2 ** 32 - 1]) expect(mayBeDestination({ host: 'a', port })).toBe(false);
    expect(mayBePlace({ host: '', port: 0 })).toBe(true);
    expect(mayBePlace({ host: '*', port: 65_536 })).toBe(false);
  });

  it('permitopen= is compared as written; rexec- counts for names of targets alone', () => {
    const permits = (host: string, byName: boolean) =>
      permitsDestination(['localhost:80', 'rexec-web:*'], host, 80, 'rexec-', byName);
    expect([permits('localhost', false), permits('127.0.0.1', false)]).toEqual([true, false]);
    expect([permits('web', true), permits('web', false), permits('rexec-web', false)]).toEqual([
      true,
      false,
      true,
    ]);
  });
});

describe('paths of sockets', () => {
  it.each(['/run/app.sock', 'relative', '/a b\n', '/../x', `/${'ä'.repeat(2_047)}`])(
    '%j may be one',
    (path) => {
      expect([mayBeDestination({ path }), mayBePlace({ path })]).toEqual([true, true]);
    },
  );

  it.each(['', '\0abstract', '/a\0b', '/\ufffd', `/${'x'.repeat(4_095)}`])('%j is none', (path) => {
    expect([mayBeDestination({ path }), mayBePlace({ path })]).toEqual([false, false]);
  });
});

describe('permitlisten=', () => {
  it.each([
    [['8080'], 'localhost', 8080, true],
    [['8080'], '', 8080, true],
    [['8080'], 'localhost', 8081, false],
    [['localhost:8080'], '', 8080, false],
    [['localhost:8080'], 'localhost', 8080, true],
    [['*'], 'localhost', 1, true],
    [['0'], 'localhost', 0, true],
    [['0'], 'localhost', 8080, false],
    [['8080'], 'localhost', 0, false],
    [[], 'localhost', 8080, false],
  ] as const)('%j and %s:%d: %s', (patterns, host, port, permitted) => {
    expect(permitsListening(patterns, { host, port })).toBe(permitted);
  });
});
