/** X-Forwarded-For: each proxy on the way has added at its end whom it got the request from. */
import { isIP } from 'node:net';
import type { AddressBlocks } from '../config/address-blocks.ts';
import { plainAddress } from '../platform/ip-address.ts';

/**
 * The address of the last one on the way who is no trusted proxy: what stands left of it, anybody may have written. The
 * header is read only where `peer` is trusted. An entry that is no address ends the reading.
 */
export function findForwardedSource(
  peer: string,
  header: string | undefined,
  trusted: AddressBlocks,
): string | undefined {
  if (header === undefined || !trusted.has(peer)) return undefined;
  let source: string | undefined;
  for (const entry of header.split(',').reverse()) {
    const address = addressOf(entry.trim());
    if (address === undefined) break;
    source = address;
    if (!trusted.has(address)) break;
  }
  return source;
}

/** Some add a port: `192.0.2.7:5123`, `[2001:db8::7]:5123`. */
function addressOf(entry: string): string | undefined {
  const [, inBrackets, dotted] = /^\[([^\]]+)\](?::\d+)?$|^([\d.]+):\d+$/.exec(entry) ?? [];
  const address = inBrackets ?? dotted ?? entry;
  return isIP(address) === 0 || address.includes('%') ? undefined : plainAddress(address);
}
