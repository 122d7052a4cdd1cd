import { GatewayError } from '../../errors.ts';
import type { ScanHostKeys } from '../../hosts/host-key-scan.ts';
import { excerpt } from '../../platform/excerpt.ts';
import { printable } from '../../platform/printable.ts';
import { WireReader } from '../wire.ts';
import { openTransport } from './open-transport.ts';

/** A server proves itself with one key at a connection; which of the ECDSA curves, it has decided long ago. */
const scans: readonly (readonly string[])[] = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['ssh-rsa'],
];

/** For each connection, beside what dialling takes. */
const scanWithinMs = 10_000;

/** As ssh-keyscan(1) does it, but each key's signature is checked. */
export const scanHostKeys: ScanHostKeys = async (host, dial) => {
  // The first alone: a host that is not there is not dialled three times.
  const first = await dial();
  const found = await Promise.allSettled(
    scans.map(async (types, index) => scanOne(index === 0 ? first : await dial(), types)),
  );
  const keys = found.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  if (keys.length > 0) return keys;
  const { reason: cause } = found[0] as PromiseRejectedResult;
  const said = printable(excerpt((cause as Error).message, 200));
  throw new GatewayError('host-unreachable', { host, reason: `no SSH host key: ${said}` }, { cause });
};

async function scanOne(stream: Awaited<ReturnType<Parameters<ScanHostKeys>[1]>>, types: readonly string[]) {
  let blob = Buffer.alloc(0);
  const transport = await openTransport(stream, {
    hostKeyTypes: types,
    isTrusted: (hostKey) => {
      blob = Buffer.from(hostKey);
      return true;
    },
    signal: AbortSignal.timeout(scanWithinMs),
  });
  transport.destroy();
  return `${new WireReader(blob).text()} ${blob.toString('base64')}`;
}
