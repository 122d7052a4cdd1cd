/** What of a message's headers passes through, and what is made anew. RFC 9110 §7.6. */

export type Headers = readonly (readonly [name: string, value: string])[];

/** From and to Node's `rawHeaders`: name, value, name, value, … */
export const toHeaders = (raw: readonly string[]): Headers =>
  raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []));
export const toRaw = (headers: Headers): string[] => headers.flat();

export const valuesOf = (headers: Headers, wanted: string): string[] =>
  headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);

/** One name for all that a reader may take for the same: CGI and its kin turn every other character into `_`. */
const canonical = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '-');

const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Of one message's framing and routing: the side that sends the message writes them. */
const madeAnew: ReadonlySet<string> = new Set(['content-length', 'host']);

/** Who asks and whence, as the container is told by us; `Proxy` would be HTTP_PROXY to a CGI program. */
const ours: ReadonlySet<string> = new Set([
  'forwarded',
  'proxy',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);
const isOurs = (name: string) => name.startsWith('x-exedev-') || ours.has(name);

/** Without those for this hop alone, be it that `Connection` names them, and those that are made anew. */
export function endToEnd(headers: Headers): Headers {
  const named = new Set(
    valuesOf(headers, 'connection').flatMap((value) =>
      value.split(',').map((each) => canonical(each.trim())),
    ),
  );
  const stays = (name: string) => !hopByHop.has(name) && !madeAnew.has(name) && !named.has(name);
  return headers.filter(([name]) => stays(canonical(name)));
}

/** Without what a client might say in our place. */
export const withoutOurs = (headers: Headers): Headers =>
  headers.filter(([name]) => !isOurs(canonical(name)));

/** Those of a trailer section that pass: some readers put them among the headers (RFC 9110 §6.5.1). */
export const trailersThatPass = (raw: readonly string[]): Headers =>
  withoutOurs(endToEnd(toHeaders(raw))).filter(([name]) => !credentials.has(canonical(name)));

const credentials: ReadonlySet<string> = new Set(['authorization', 'cookie', 'set-cookie']);
