/** What a resident is asked for besides programs: files and sockets. */
import type { Authorization } from '../../../auth/authorization.ts';
import { GatewayError } from '../../../errors.ts';
import type { ContainerTarget } from '../../target.ts';
import type { ContainerFacts } from '../container-facts.ts';
import type { SessionUser } from '../passwd.ts';
import {
  type Answered,
  type InsideConnection,
  InsideLost,
  InsideRefusal,
} from '../sidecar/inside-connection.ts';
import { againAfterSilenceMs, answersWithinMs, type Residents } from './create-residents.ts';

export interface AskedResident extends Answered {
  readonly resident: InsideConnection;
}

/** With the window of each, they bound the memory of one resident, whoever opens them. */
const maxStreams = 512;

export interface Question {
  readonly path: string;
  /** What comes first in its stream. */
  readonly body?: Buffer;
  /** How long it may be silent, on a busy machine too. Default: 1 s, for who has another way. */
  readonly patienceMs?: number;
}

/** Throws what `Residents.open` and `InsideConnection.ask` throw, and `too-many-forwards`. */
export function askResident(
  residents: Residents,
  authorization: Authorization<ContainerTarget>,
  as: { readonly facts: ContainerFacts; readonly user: SessionUser },
  { path, body, patienceMs = answersWithinMs }: Question,
): Promise<AskedResident> {
  const once = async (): Promise<AskedResident> => {
    const resident = await residents.open(authorization, as.facts, as.user);
    if (resident.load >= maxStreams) throw new GatewayError('too-many-forwards', { limit: maxStreams });
    if (!(await resident.answers(patienceMs))) {
      residents.retire({ inside: resident }, againAfterSilenceMs);
      throw new GatewayError('sidecar-unavailable', { reason: 'its helper program does not answer' });
    }
    try {
      return { ...(await resident.ask(path, body)), resident };
    } catch (error) {
      if (isOutdated(error)) residents.retire({ inside: resident }, 0);
      throw error;
    }
  };
  // Once more, in a new one: it may have died with nobody looking, or have the rights of another time.
  return once().catch((error) => {
    if (!(error instanceof InsideLost || isOutdated(error))) throw error;
    return once();
  });
}

const isOutdated = (error: unknown) => error instanceof InsideRefusal && error.code === 'ESTALE';
