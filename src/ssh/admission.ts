/**
 * Who may begin at all: penalties, PerSourceMaxStartups and MaxStartups as in sshd_config(5), before a byte is read or a
 * key exchanged. ssh2 counts nothing (library-traps 5), so the sockets are ours and given to it one by one.
 */
import type { Socket } from 'node:net';
import type { Audit } from '../audit/audit.ts';
import type { Penalties } from '../auth/penalties.ts';
import type { SharedAddresses } from '../auth/shared-addresses.ts';
import { sourceBlock } from '../auth/source-block.ts';
import type { Config } from '../config/config.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Startup } from './arrival.ts';

export interface Admission {
  /** Undefined: refused, and the socket is closed. `address` is the client's own. What is returned must be told of its end. */
  admit(socket: Socket, address: string): Startup | undefined;
  /** Counts one that was admitted by another process before this one. */
  adopt(address: string): Startup;
}

export interface AdmissionDependencies {
  readonly config: Pick<Config, 'maxStartups' | 'perSourceMaxStartups' | 'perSourceNetBlockSize'>;
  readonly penalties: Pick<Penalties, 'refuse'>;
  readonly shared: SharedAddresses;
  readonly audit: Pick<Audit, 'connectionRefused'>;
  readonly meter: Pick<Meter, 'connectionRefused'>;
  /** Of [0, 1). */
  readonly random?: () => number;
}

type Limit = 'PerSourceMaxStartups' | 'MaxStartups';

/** For metrics. */
const labels: Readonly<Record<Limit | 'penalty', string>> = {
  PerSourceMaxStartups: 'per_source_max_startups',
  MaxStartups: 'max_startups',
  penalty: 'penalty',
};

/** Counts unauthenticated connections. */
export function createAdmission(dependencies: AdmissionDependencies): Admission {
  const { config, penalties, shared, audit, meter, random = Math.random } = dependencies;
  const bySource = new Map<string, number>();
  const turnAway = createTurnAway();
  let startups = 0;

  function findRefusal(source: string, isShared: boolean): Limit | undefined {
    const { maxStartups, perSourceMaxStartups } = config;
    const ofSource = bySource.get(source) ?? 0;
    // Per source first, so that one source cannot use up what is there for all.
    if (!isShared && ofSource >= perSourceMaxStartups) return 'PerSourceMaxStartups';
    if (startups >= maxStartups.full) return 'MaxStartups';
    const others = bySource.size - (ofSource > 0 ? 1 : 0);
    return mustDrop(Math.max(ofSource, others), maxStartups, random) ? 'MaxStartups' : undefined;
  }

  const sourceOf = (address: string) => sourceBlock(address, config.perSourceNetBlockSize);

  function enter(source: string): Startup {
    let counts = true;
    startups++;
    bySource.set(source, (bySource.get(source) ?? 0) + 1);
    const leave = () => {
      if (!counts) return;
      counts = false;
      startups--;
      const left = (bySource.get(source) ?? 1) - 1;
      if (left === 0) bySource.delete(source);
      else bySource.set(source, left);
    };
    return { authenticated: leave, left: leave };
  }

  return {
    admit(socket, address) {
      const source = sourceOf(address);
      const enforced = penalties.refuse(address);
      const refusal = enforced ? 'penalty' : findRefusal(source, shared.isShared(address));
      if (refusal === undefined) return enter(source);
      audit.connectionRefused({
        source: address,
        reason: enforced ? `penalty: ${enforced.reason}` : refusal,
      });
      meter.connectionRefused(labels[refusal]);
      if (enforced) turnAway(socket);
      else socket.destroy();
      return undefined;
    },
    adopt: (address) => enter(sourceOf(address)),
  };
}

/**
 * MaxStartups start:rate:full, sshd_config(5): refusal grows linearly from `rate` at `start` to all at `full`. Unlike
 * sshd's, `startups` is of one source, or each source once: however many one has open, no other is refused for them.
 */
export function mustDrop(startups: number, limits: Config['maxStartups'], random: () => number): boolean {
  const { start, ratePercent, full } = limits;
  if (startups < start) return false;
  if (startups >= full || ratePercent === 100) return true;
  const chance = ratePercent / 100 + ((1 - ratePercent / 100) * (startups - start)) / (full - start);
  return random() < chance;
}

const turnAwayMs = 500;
/** More at once are closed without a word: who is refused must not use up connections that others need. */
const maxTurnedAway = 100;

/** In the words of sshd, in the place of the version line. What the peer sends is read, or closing would take them back. */
function createTurnAway(): (socket: Socket) => void {
  let leaving = 0;
  return (socket) => {
    if (leaving >= maxTurnedAway) return void socket.destroy();
    leaving++;
    socket.on('error', () => {});
    socket.end('Not allowed at this time\r\n');
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), turnAwayMs);
    socket.once('close', () => {
      leaving--;
      clearTimeout(timer);
    });
  };
}
