import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { readHead } from '../../../../src/http/container-passage/read-head.ts';

const read = (raw: string[], facts: Partial<IncomingMessage> = {}) =>
  readHead(
    {
      rawHeaders: ['Host', 'web.gw.example:80', ...raw],
      method: 'POST',
      url: '/a?b',
      httpVersion: '1.1',
      ...facts,
    } as IncomingMessage,
    'gw.example',
  );

describe('the head of a request', () => {
  it('is read as it came', () => {
    expect(read(['Accept', '*/*', 'Content-Length', '5'])).toEqual({
      method: 'POST',
      container: 'web',
      host: 'web.gw.example:80',
      target: '/a?b',
      token: undefined,
      headers: [['Accept', '*/*']],
      body: { contentLength: '5' },
      expectsContinue: false,
    });
  });

  it('two-hosts: more than one Host is refused', () => {
    expect(() => read(['Host', 'web.gw.example:80'])).toThrow('more than one Host');
  });

  it('more headers than anybody has are refused, as the parser drops those after its limit', () => {
    expect(() => read(Array.from({ length: 402 }, () => 'x'))).toThrow('more than 200 headers');
  });

  it('a credential that Connection names is gone before it is looked for', () => {
    const { token, headers } = read(['Authorization', 'Bearer exe1.x', 'Connection', 'authorization']);
    expect({ token, headers }).toEqual({ token: undefined, headers: [] });
  });
});

describe('the length of its body', () => {
  it.each([
    [['Transfer-Encoding', 'gzip, chunked']],
    [['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']],
    [['Transfer-Encoding', 'identity']],
    [['Content-Length', '+5']],
    [['Content-Length', '5, 5']],
    [['Content-Length', '5', 'Content-Length', '5']],
  ])('request-smuggling: %j is refused', (raw) => {
    expect(() => read(raw)).toThrow();
  });

  it('chunks in HTTP/1.0 are refused', () => {
    expect(() => read(['Transfer-Encoding', 'chunked'], { httpVersion: '1.0' })).toThrow();
  });

  it('is none where nothing says so', () => {
    expect(read([]).body).toBe('none');
    expect(read(['Transfer-Encoding', 'Chunked']).body).toBe('chunked');
  });
});

describe('an absolute URL', () => {
  it.each([
    ['http://web.gw.example:80/x?y', '/x?y'],
    ['https://WEB.gw.example', '/'],
    ['http://web.gw.example?y', '/?y'],
  ])('%s is asked for as %s', (url, target) => {
    expect(read([], { url }).target).toBe(target);
  });

  it.each([
    'http://other.gw.example/',
    'http://gw.example/exec',
    'http://user@web.gw.example/',
    'ftp://web.gw.example/',
    'x',
  ])('two-hosts: %s is not the Host’s, and refused', (url) => {
    expect(() => read([], { url })).toThrow('not for the container');
  });
});

it('whoever speaks HTTP/1.0 is not told to continue', () => {
  expect(read(['Expect', '100-continue'])).toMatchObject({
    expectsContinue: true,
    headers: [['Expect', '100-continue']],
  });
  expect(read(['Expect', '100-continue'], { httpVersion: '1.0' })).toMatchObject({
    expectsContinue: false,
    headers: [],
  });
});
