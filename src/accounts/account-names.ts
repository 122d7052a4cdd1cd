import { GatewayError } from '../errors.ts';

const reserved = new Set(
  'admin administrator root join rexec postern gateway operator system daemon nobody anyone everyone all me self support security ssh sshd sftp scp git www api exec help'.split(
    ' ',
  ),
);

/** Throws invalid-account-name. */
export function checkAccountName(name: string): void {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name))
    throw new GatewayError('invalid-account-name', { name: name.slice(0, 64) });
}

/** Names that nobody may choose for themselves. */
export const isReservedName = (name: string) => reserved.has(name) || name.startsWith('rexec-');
