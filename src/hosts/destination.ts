/** Where a host is: checked so strictly that neither a shell nor ssh can take any of it for something else. */
import { isIPv4, isIPv6 } from 'node:net';
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';

export interface Destination {
  readonly username: string;
  /** Without brackets. */
  readonly hostname: string;
  readonly port: number;
}

const sshPort = 22;

/** Reads `USER@HOSTNAME[:PORT]`, `USER@[IPV6]:PORT`, `USER@IPV6`. Throws invalid-host. */
export function parseDestination(text: string): Destination {
  const at = text.indexOf('@');
  if (at < 1) {
    throw invalid(
      `"${excerpt(text)}" does not say who logs in where; write USER@HOSTNAME or USER@HOSTNAME:PORT.`,
    );
  }
  const { hostname, port } = splitPort(text.slice(at + 1));
  return {
    username: checkUsername(text.slice(0, at)),
    hostname: checkHostname(hostname),
    port: port === undefined ? sshPort : parsePort(port),
  };
}

/** Several colons without brackets are an address's own. */
function splitPort(text: string): { hostname: string; port: string | undefined } {
  const [, bracketed, port] = /^\[([^\]]*)\](?::(.*))?$/s.exec(text) ?? [];
  if (bracketed !== undefined && isIPv6(bracketed)) return { hostname: bracketed, port };
  const [hostname = '', after, ...more] = text.split(':');
  return more.length > 0 ? { hostname: text, port: undefined } : { hostname, port: after };
}

const invalid = (problem: string) => new GatewayError('invalid-host', { problem });

function checkUsername(text: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(text)) return text;
  throw invalid(
    `"${excerpt(text)}" cannot be a user name: use up to 64 letters, digits, points, hyphens and underscores.`,
  );
}

/** RFC 1123 §2.1: labels of letters, digits and hyphens. */
const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

/**
 * A DNS name, an IPv4 address of four decimal numbers, or an IPv6 address without zone. A name whose last label
 * is a number is none: resolvers read `127.1`, `0x7f.1` and `2130706433` as addresses.
 */
function checkHostname(text: string): string {
  const labels = text.split('.');
  const endsInNumber = /^(\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '');
  const isName = text.length <= 253 && !endsInNumber && labels.every((each) => label.test(each));
  if (isName || isIPv4(text) || (isIPv6(text) && !text.includes('%'))) return text;
  throw invalid(`"${excerpt(text)}" is neither a DNS name nor an IP address.`);
}

/** Throws invalid-host unless it is a number from 1 to 65535. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw invalid(`"${excerpt(text)}" is no port; a port is a number from 1 to 65535.`);
}

const maxUsers = 32;

/** `app,www-data`, each once. Throws invalid-host. */
export function parseUsers(text: string): readonly string[] {
  const users = [...new Set(text.split(',').map((each) => checkUsername(each.trim())))];
  if (users.length <= maxUsers) return users;
  throw invalid(`--users takes at most ${maxUsers} names.`);
}

const maxPorts = 64;

/** `5432,8080`, each once, in rising order. Throws invalid-host. */
export function parsePorts(text: string): readonly number[] {
  const ports = [...new Set(text.split(',').map((each) => parsePort(each.trim())))];
  if (ports.length > maxPorts) throw invalid(`--ports takes at most ${maxPorts} ports.`);
  return ports.toSorted((a, b) => a - b);
}
