import { describe, expect, it } from 'vitest';
import {
  endToEnd,
  toHeaders,
  toRaw,
  trailersThatPass,
  withoutOurs,
} from '../../../../src/http/container-passage/header-rules.ts';

const passed = (...raw: string[]) => toRaw(withoutOurs(endToEnd(toHeaders(raw))));

describe('header-smuggled-identity: nobody says in our place who asks', () => {
  it.each([
    'X-ExeDev-UserID',
    'x-exedev-userid',
    'X-EXEDEV-EMAIL',
    'X-ExeDev-Token-Ctx',
    'X-ExeDev-Anything-To-Come',
    'X-Exedev-Authorization',
    'X-Forwarded-For',
    'x-forwarded-HOST',
    'X-Forwarded-Proto',
    'Forwarded',
  ])('%s does not pass', (name) => {
    expect(passed(name, 'forged', 'Accept', '*/*')).toEqual(['Accept', '*/*']);
  });

  it.each(['X_ExeDev_UserID', 'x-exedev_userid', 'X.ExeDev.UserID', 'X~ExeDev!Email', 'X_Forwarded_For'])(
    'underscore-header: %s, which CGI would read as ours, does not pass',
    (name) => {
      expect(passed(name, 'forged')).toEqual([]);
    },
  );

  it('Proxy, which CGI reads as HTTP_PROXY, does not pass', () => {
    expect(passed('Proxy', 'http://evil.example')).toEqual([]);
  });
});

describe('headers for one hop', () => {
  it.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Authorization',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Transfer_Encoding',
    'Upgrade',
    'HTTP2-Settings',
    'Content-Length',
    'Content_Length',
    'Host',
  ])('%s does not pass', (name) => {
    expect(passed(name, 'x')).toEqual([]);
  });

  it('connection-named-header: what Connection names goes, however it is written', () => {
    expect(
      passed('Connection', 'close, X-Secret', 'connection', 'other', 'x-secret', '1', 'Other', '2'),
    ).toEqual([]);
  });
});

it('all others pass as they are, in order, each as often as it came', () => {
  const raw = ['Cookie', 'a=1', 'X-Thing', 'b', 'x-thing', 'c', 'X-ExeDevice', 'd', 'User-Agent', 'é'];
  expect(passed(...raw)).toEqual(raw);
});

it('trailers that a reader might put among the headers do not pass', () => {
  const raw = [
    'X-Sum',
    '1',
    'X-ExeDev-UserID',
    'forged',
    'Authorization',
    'x',
    'Content-Length',
    '0',
    'Host',
    'x',
  ];
  expect(trailersThatPass(raw)).toEqual([['X-Sum', '1']]);
});
