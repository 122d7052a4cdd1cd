/** Connecting to a registered host: to what is registered and nothing else, at the very address that was checked. */
import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';
import { GatewayError } from '../errors.ts';
import { lentReads } from '../platform/lent-reads.ts';
import { isInternalAddress } from './internal-addresses.ts';

export interface HostDestination {
  /** A DNS name or an address, as it was registered. */
  readonly hostname: string;
  readonly port: number;
  /** Its registrant may not send the gateway to its own networks. */
  readonly mayBeInternal: boolean;
  /** For looking up its name and trying all its addresses together. Default: 10 s. */
  readonly withinMs?: number;
}

/** Every address that a name stands for now. */
export type LookUp = (hostname: string) => Promise<readonly { readonly address: string }[]>;

/**
 * Resolves to a connected socket with TCP_NODELAY on. Names are looked up each time, for they may lead elsewhere by
 * then; whoever may not reach internal addresses is refused when any of theirs is one. Throws host-address-refused,
 * host-unreachable.
 */
export async function dialHost(
  { hostname, port, mayBeInternal, withinMs = 10_000 }: HostDestination,
  lookUp: LookUp = lookUpOnce,
): Promise<Socket> {
  const unknown = (cause?: NodeJS.ErrnoException) =>
    unreachable(hostname, cause?.code === 'EAI_AGAIN' ? 'no name server answers' : 'no such name', cause);
  const deadline = AbortSignal.timeout(withinMs);
  const addresses = await within(deadline, lookUp(hostname)).catch((cause: Error) => {
    if (deadline.aborted) throw unreachable(hostname, 'no answer in time', cause);
    throw unknown(cause);
  });
  if (addresses.length === 0) throw unknown();
  if (!mayBeInternal && addresses.some(({ address }) => isInternalAddress(address))) {
    throw new GatewayError('host-address-refused', { hostname });
  }
  let failure: unknown;
  for (const { address } of addresses) {
    try {
      return await connected(address, port, deadline);
    } catch (error) {
      failure = error;
    }
  }
  const { code } = failure as NodeJS.ErrnoException;
  const reason = deadline.aborted ? 'no answer in time' : (reasons.get(code ?? '') ?? code ?? 'unknown');
  throw unreachable(hostname, reason, failure);
}

const underWay = new Map<string, ReturnType<LookUp>>();

/**
 * The system waits for few names at a time, each for as long as its servers like, whether anybody still waits or not: those
 * who ask for one at the same time share the question.
 */
function lookUpOnce(hostname: string): ReturnType<LookUp> {
  const asked =
    underWay.get(hostname) ?? lookup(hostname, { all: true }).finally(() => underWay.delete(hostname));
  underWay.set(hostname, asked);
  return asked;
}

const unreachable = (host: string, reason: string, cause: unknown) =>
  new GatewayError('host-unreachable', { host, reason }, { cause });

/** Whose name servers a name has is its registrant's choice: these may be as slow as they like. */
function within<T>(deadline: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(deadline.reason);
    deadline.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => deadline.removeEventListener('abort', giveUp));
  });
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['EHOSTUNREACH', 'no route to it'],
  ['ENETUNREACH', 'no route to its network'],
  ['ETIMEDOUT', 'no answer in time'],
]);

function connected(host: string, port: number, deadline: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const onread = lentReads(() => socket);
    const socket: Socket = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      allowHalfOpen: true,
      onread,
    });
    const giveUp = () => socket.destroy(new Error('timeout'));
    deadline.addEventListener('abort', giveUp, { once: true });
    if (deadline.aborted) giveUp();
    socket.once('error', reject);
    socket.once('connect', () => {
      deadline.removeEventListener('abort', giveUp);
      socket.off('error', reject);
      // Whoever is given it listens a little later: what fails until then closes it, and ends nothing else.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}
