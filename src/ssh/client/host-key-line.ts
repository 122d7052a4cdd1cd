import { fingerprintOf } from '../../keys/parse-public-key.ts';
import { printable } from '../../platform/printable.ts';
import { WireReader } from '../wire.ts';

/** `ssh-ed25519 SHA256:…` of a host key's blob, for people. */
export const describeHostKey = (blob: Buffer): string =>
  `${printable(new WireReader(blob).text())} ${fingerprintOf(blob)}`;
