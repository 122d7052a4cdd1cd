/** `permitopen=` and `permitlisten=` of authorized_keys, sshd(8): literal hosts and ports, `*` for any. */
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';

export interface PermitPattern {
  /** As written, without the brackets of an IPv6 address; `*`: any. */
  readonly host: string;
  /** Undefined: any. */
  readonly port: number | undefined;
}

/** More would only slow each forwarding down. */
export const maxPermitPatterns = 64;

/** `HOST:PORT`, `[ADDRESS]:PORT`, `*:PORT`, `HOST:*`; undefined when it is none. */
export function parsePermit(text: string): PermitPattern | undefined {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,255}|\*)):(\d{1,5}|\*)$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || !isPort(port, 1)) return undefined;
  return { host, port: port === '*' ? undefined : Number(port) };
}

const isPort = (text: string | undefined, least: number) =>
  text === '*' || (text !== undefined && Number(text) >= least && Number(text) <= 65_535);

/** Throws invalid-key unless `text` is a destination pattern. */
export function checkPermitOpen(text: string): void {
  if (!parsePermit(text)) throw invalid('permitopen', text, 'HOST:PORT, like web:22 or web:*');
}

/** A place to listen: `PORT` or `HOST:PORT`; port 0 asks for any free one. Throws invalid-key. */
export function checkPermitListen(text: string): void {
  const isBarePort = /^(\d{1,5}|\*)$/.test(text) && isPort(text, 0);
  if (!isBarePort && !parsePermit(text)) {
    throw invalid('permitlisten', text, '[HOST:]PORT, like 8080 or localhost:8080');
  }
}

/** Whether a destination is among `patterns`. As in sshd, hosts are compared as they are written, never looked up. */
export function permitsOpen(patterns: readonly string[], isHost: (host: string) => boolean, port: number) {
  return patterns.some((text) => {
    const pattern = parsePermit(text);
    if (!pattern) return false;
    const fits = pattern.host === '*' || isHost(pattern.host);
    return fits && (pattern.port === undefined || pattern.port === port);
  });
}

/** Whether a place to listen is among `patterns`; a bare port is meant for any host, as in sshd. */
export function permitsListen(patterns: readonly string[], host: string, port: number): boolean {
  const full = patterns.map((text) => (/^(\d+|\*)$/.test(text) ? `*:${text}` : text));
  // Zero is no port to open, but one to ask for.
  const any = port === 0 && full.some((text) => text === '*:0' || text === `${host}:0`);
  return any || permitsOpen(full, (permitted) => permitted === host, port);
}

const invalid = (option: string, text: string, form: string) =>
  new GatewayError('invalid-key', {
    problem: `"${excerpt(text)}" in the option ${option}="…" is not of the form ${form}.`,
  });
