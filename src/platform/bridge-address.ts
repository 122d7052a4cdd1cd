import { existsSync, readFileSync } from 'node:fs';
import { findOwnContainerId } from './own-container.ts';

/**
 * In a container the address of its default gateway: whoever comes by a published port may come from there, whoever
 * they are (Docker's userland proxy, and its masquerading). Undefined outside of containers.
 */
export function findBridgeAddress(routeFile = '/proc/net/route'): string | undefined {
  if (!isInContainer()) return undefined;
  try {
    return parseDefaultGateway(readFileSync(routeFile, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Docker's and Podman's marks. */
const isInContainer = () =>
  ['/.dockerenv', '/run/.containerenv'].some((file) => existsSync(file)) ||
  findOwnContainerId() !== undefined;

const isUpGateway = 0x3;

/** Of the kernel's table of IPv4 routes; addresses there are hexadecimal, in the order of the machine's bytes. */
export function parseDefaultGateway(routes: string): string | undefined {
  for (const line of routes.split('\n').slice(1)) {
    const [, destination, gateway = '', flags = '', , , , mask] = line.split(/\s+/);
    if (destination !== '00000000' || mask !== '00000000') continue;
    if ((Number.parseInt(flags, 16) & isUpGateway) !== isUpGateway) continue;
    const bytes = Buffer.from(gateway, 'hex');
    if (bytes.length === 4) return littleEndian ? [...bytes.reverse()].join('.') : [...bytes].join('.');
  }
  return undefined;
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
