/** Where an engine is: checked so strictly that it can mean one thing only. */
import { GatewayError } from '../errors.ts';
import { parseDestination } from '../hosts/destination.ts';
import { excerpt } from '../platform/excerpt.ts';

export type EngineUrl =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly hostname: string; readonly port: number };

/** Longest path that fits into sun_path, its NUL taken off. */
const maxPathBytes = 107;

/** Reads `unix:///path`, `tcp://HOST:PORT`, `tcp://[IPV6]:PORT`. Throws invalid-engine. */
export function parseEngineUrl(text: string): EngineUrl {
  const path = /^unix:\/\/(\/[\x21-\x7e]+)$/.exec(text)?.[1];
  if (path !== undefined && path.length <= maxPathBytes) return { kind: 'unix', path };
  const place = /^tcp:\/\/((?:\[[^\]]+\]|[^/:@\s]+):\d{1,5})\/?$/.exec(text)?.[1];
  if (place !== undefined) {
    const { hostname, port } = parsePlace(place, text);
    return { kind: 'tcp', hostname, port };
  }
  throw invalid(text);
}

/** Names and addresses are those of hosts: no `127.1`, no zone, nothing that a resolver reads in two ways. */
function parsePlace(place: string, text: string) {
  try {
    return parseDestination(`engine@${place}`);
  } catch {
    throw invalid(text);
  }
}

const invalid = (text: string) =>
  new GatewayError('invalid-engine', {
    problem: `"${excerpt(text)}" is no address of an engine; write tcp://HOST:PORT or unix:///PATH.`,
  });

/** On this very machine: nobody is in between. */
export const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '::1' || /^127(\.\d{1,3}){3}$/.test(hostname);
