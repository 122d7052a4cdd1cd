/** How a gateway comes to its end: it waits for what runs, or leaves what is open to a successor, or stops. */
import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import type { ControlDoor } from './control/control-door.ts';
import type { Serving } from './gateway-doors.ts';
import type { Gateway } from './gateway-facade.ts';
import type { GatewayMemory } from './gateway-memory.ts';
import type { Lifecycle } from './gateway-ports.ts';
import type { WorkersServing } from './gateway-workers.ts';
import type { HttpEntrances } from './http/open-http-entrances.ts';
import { awaitBalancer } from './sessions/drain.ts';
import type { SshEntrance } from './ssh/open-ssh-entrance.ts';

/** How far it has come. */
export interface Phase {
  /** Who connects is served. */
  hasBegun: boolean;
  isDraining: boolean;
  /** What serves is a successor's. */
  isHandedOver: boolean;
  /** What people are told. */
  reason: string;
}

export const createPhase = (): Phase => ({
  hasBegun: false,
  isDraining: false,
  isHandedOver: false,
  reason: 'the gateway is shutting down.',
});

export type GatewayServing = Serving & Partial<WorkersServing>;

/**
 * Ends what serves, unless that is a successor's. One that has not begun leaves its predecessors' workers to whoever is
 * started next: the sessions in them have nothing to do with what kept it from beginning.
 */
export const createClosing = (serving: GatewayServing, phase: Phase) => async (graceMs: number) => {
  if (phase.isHandedOver) return;
  if (phase.hasBegun || !serving.leave) await serving.close(graceMs, phase.reason);
  else await serving.leave();
};

export interface EndingDependencies {
  readonly config: Config;
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
  readonly phase: Phase;
  readonly serving: GatewayServing;
  readonly entrance: SshEntrance;
  readonly http: HttpEntrances | undefined;
  readonly control: ControlDoor;
  /** What only this process remembers. */
  readonly remember: () => Promise<GatewayMemory>;
}

export function createEnding(parts: EndingDependencies): Pick<Gateway, 'drain' | 'handOver' | 'stop'> {
  const { config, log, lifecycle, phase, serving, entrance, http, control, remember } = parts;
  return {
    async drain(hurry = new AbortController().signal) {
      phase.isDraining = true;
      serving.announceDrain?.();
      await awaitBalancer(config.drainDelaySeconds * 1000, hurry, log);
      entrance.close();
      http?.drain();
      await serving.drain({ timeoutMs: config.drainTimeoutSeconds * 1000, hurry });
    },
    async handOver(timeoutMs) {
      http?.drain();
      await entrance.leave();
      phase.isHandedOver = true;
      control.leave();
      const left = await serving.leave?.(timeoutMs);
      const gateway = await remember();
      await lifecycle.close();
      return { ...(left as object), gateway };
    },
    stop(graceMs = 2_000, reason = phase.reason) {
      phase.reason = reason;
      return lifecycle.close(graceMs);
    },
  };
}
