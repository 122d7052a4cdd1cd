/** The head of a request for a container, checked: what is unclear here might be read otherwise there. */
import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../../errors.ts';
import { findContainerName } from '../host-name.ts';
import { findToken } from './find-token.ts';
import { endToEnd, type Headers, toHeaders, valuesOf } from './header-rules.ts';

export type Body = 'none' | 'chunked' | { readonly contentLength: string };

export interface RequestHead {
  readonly method: string;
  /** NAME of the Host header, lower case. */
  readonly container: string;
  /** As the client wrote it, port and all. */
  readonly host: string;
  /** In origin form (RFC 9112 §3.2.1), or `*`. */
  readonly target: string;
  readonly token: string | undefined;
  /** End to end, without the one that carried the token. */
  readonly headers: Headers;
  readonly body: Body;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
}

/** Node drops what comes after its thousandth, silently; nobody has that many in earnest. */
const maxHeaders = 200;

const malformed = (problem: string) => new GatewayError('malformed-request', { problem });

/** Throws malformed-request. */
export function readHead(request: IncomingMessage, domain: string): RequestHead {
  const all = toHeaders(request.rawHeaders);
  if (all.length > maxHeaders) throw malformed(`the request has more than ${maxHeaders} headers.`);
  const hosts = valuesOf(all, 'host');
  const found = findContainerName(hosts, domain);
  if (found === undefined || found === 'ambiguous') {
    throw malformed('the request has more than one Host header; send one.');
  }
  const host = hosts[0] as string;
  const isCurrent = request.httpVersion === '1.1';
  const { token, rest } = findToken(endToEnd(all));
  const expectsContinue = isCurrent && valuesOf(all, 'expect').length > 0;
  return {
    method: request.method ?? 'GET',
    container: found.name,
    host,
    target: originForm(request.url ?? '/', found.name, domain),
    token,
    headers: expectsContinue ? rest : rest.filter(([name]) => name.toLowerCase() !== 'expect'),
    body: readFraming(all, isCurrent),
    expectsContinue,
  };
}

/** Of an absolute URL (RFC 9112 §3.2.2) the path, if it is for the container that Host names. */
function originForm(url: string, container: string, domain: string): string {
  if (url.startsWith('/') || url === '*') return url;
  const [, authority, path = ''] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? [];
  const named = findContainerName(authority === undefined ? [] : [authority], domain);
  if (named === undefined || named === 'ambiguous' || named.name !== container) {
    throw malformed('the URL of the request is not for the container that its Host header names.');
  }
  return path.startsWith('/') ? path : `/${path}`;
}

/** Node's parser has refused lengths that are none, or that stand beside chunks. */
function readFraming(headers: Headers, isCurrent: boolean): Body {
  const codings = valuesOf(headers, 'transfer-encoding');
  if (codings.length > 0) {
    if (isCurrent && codings.length === 1 && codings[0]?.toLowerCase() === 'chunked') return 'chunked';
    throw malformed('the only Transfer-Encoding that is taken here is "chunked", once, in HTTP/1.1.');
  }
  const [contentLength, ...more] = valuesOf(headers, 'content-length');
  if (contentLength === undefined) return 'none';
  if (more.length > 0 || !/^\d{1,15}$/.test(contentLength))
    throw malformed('its Content-Length is no number.');
  return { contentLength };
}
