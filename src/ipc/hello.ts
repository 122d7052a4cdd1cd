/**
 * The first request on each connection, by whoever opened it: which versions of the protocol it speaks, and who it is. A
 * gateway restarts into a new version while processes of the old one go on, so each speaks its own and the one before.
 */
import { GatewayError } from '../errors.ts';
import { printable } from '../platform/printable.ts';

export interface Versions {
  readonly newest: number;
  readonly oldest: number;
}

/** Of the methods and what goes with them. Whoever changes them so that the last version's processes would fail adds one. */
export const versions: Versions = { newest: 1, oldest: 1 };

export interface Greeting {
  /** The newest version that both speak. */
  readonly protocol: number;
  /** What the other side says of itself: plain data, to be checked. */
  readonly who: unknown;
}

export const helloMethod = 'ipc.hello';

/** Throws process-refused with a sentence that names both sides' versions. */
export function agreeOnGreeting(params: unknown, ours: Versions): Greeting {
  const { newest, oldest, who } = (params ?? {}) as Partial<Versions> & { who?: unknown };
  if (!isVersion(newest) || !isVersion(oldest)) {
    throw new GatewayError('process-refused', { problem: 'it did not say which protocol it speaks' });
  }
  const protocol = Math.min(newest, ours.newest);
  if (protocol < oldest || protocol < ours.oldest) {
    const problem = `it speaks ${spoken({ newest, oldest })} of the protocol between them, and this one speaks ${spoken(ours)}; start the gateway anew instead of restarting it`;
    throw new GatewayError('process-refused', { problem: printable(problem) });
  }
  return { protocol, who };
}

const isVersion = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

const spoken = ({ newest, oldest }: Versions) =>
  newest === oldest ? `version ${newest}` : `versions ${oldest} to ${newest}`;
