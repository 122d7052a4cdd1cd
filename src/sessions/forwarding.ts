/** Where a key may be forwarded to: by jumps, and on the way to a container's web server. */
import type { Principal } from '../auth/authorizer.ts';
import { permitsOpen } from '../keys/permit-patterns.ts';

/** sshd(8) permitopen=: `web` and `rexec-web` are one name, as they are to whoever asks. */
export function permitsForwarding(
  { key: { restrictions } }: Principal,
  name: string,
  port: number,
  targetPrefix: string,
): boolean {
  const { permitOpen } = restrictions;
  const isHost = (permitted: string) => withoutPrefix(permitted, targetPrefix) === name;
  return permitOpen === undefined || permitsOpen(permitOpen, isHost, port);
}

export const withoutPrefix = (name: string, targetPrefix: string): string =>
  name.toLowerCase().startsWith(targetPrefix) ? name.slice(targetPrefix.length) : name;
