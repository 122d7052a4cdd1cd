/** The composition of a worker: the doors, over ports whose other ends are in the supervisor. */
import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import { createLiveConfig, type LiveConfig } from './config/live-config.ts';
import { endpointOf, openDoors, type Serving } from './gateway-doors.ts';
import type { Lifecycle } from './gateway-ports.ts';
import { createRules } from './gateway-rules.ts';
import { createHeldConnections, type HeldConnections } from './gateway-worker-held.ts';
import { openWorkerPorts } from './gateway-worker-ports.ts';
import { openSteadyPeer } from './ipc/open-steady-peer.ts';
import type { Handler } from './ipc/serving.ts';
import { createEndForFault } from './metrics/end-for-fault.ts';
import type { EndForFault } from './platform/fault-owner.ts';
import { createLifecycle } from './platform/lifecycle.ts';
import { watchRevocations } from './sessions/revocation.ts';
import { type HostKeyRotation, openHostKeyRing } from './ssh/host-key-ring.ts';
import type { WorkerServe } from './workers/messages.ts';
import {
  type CloseOrder,
  type DrainOrder,
  news,
  orders,
  type RenewOrder,
  type RetireOrder,
  type WorkerIdentity,
} from './workers/orders.ts';

export interface WorkerGateway extends Pick<HeldConnections, 'ssh' | 'http'> {
  readonly endForFault: EndForFault;
  noteFault(): void;
  /** No more sockets come: it leaves when those that it has are closed, which it does itself after `timeoutMs`. */
  retire(timeoutMs?: number): void;
  /** Resolves when nothing is left to do. */
  readonly ended: Promise<void>;
  stop(graceMs: number, reason: string): Promise<void>;
}

const retireGraceMs = 2_000;
const restartedReason = 'the gateway was restarted, and the time for what was open is over; connect again.';

/** What a supervisor of another version does not know stays as it is. */
const renewed = (own: Config, { config, keys = Object.keys(own) }: RenewOrder): Config => ({
  ...own,
  ...Object.fromEntries(keys.map((key) => [key, config[key as keyof Config]])),
});

/** Throws a sentence when it cannot serve. */
export async function startWorkerGateway(
  begin: WorkerServe,
  who: WorkerIdentity,
  log: Logger,
): Promise<WorkerGateway> {
  const lifecycle = createLifecycle();
  const phase: Phase = { isDraining: begin.isDraining, isRetired: false };
  const worker = await compose(begin, who, log, lifecycle, phase);
  const { supervisor, rules, serving, endForFault } = worker;
  const ended = Promise.withResolvers<void>();
  const held = createHeldConnections(supervisor, serving, leaveIfDone);
  async function leaveIfDone(): Promise<void> {
    if (!phase.isRetired || !held.isEmpty()) return;
    // Whoever is in charge, or is about to be, must not take it for dead.
    await supervisor.request(news.leaving, undefined, { repeatable: true }).catch(() => {});
    if (!held.isEmpty()) return;
    await lifecycle.close();
    ended.resolve();
  }
  async function stop(graceMs: number, reason: string): Promise<void> {
    await serving.close(graceMs, reason);
    await rules.auditLog.flush();
  }
  const leave = () => lifecycle.close().finally(ended.resolve);
  function retire(timeoutMs?: number): void {
    phase.isRetired = true;
    if (timeoutMs !== undefined) setTimeout(() => void stop(retireGraceMs, restartedReason), timeoutMs);
    void leaveIfDone();
  }
  supervisor.serve(ordersFor({ ...worker, phase, stop, leave, retire }));
  return {
    ssh: held.ssh,
    http: held.http,
    endForFault,
    noteFault: () => rules.meter.faultCaught('gateway'),
    retire,
    ended: ended.promise,
    async stop(graceMs, reason) {
      await stop(graceMs, reason);
      await lifecycle.close();
    },
  };
}

/** The doors, and what they stand on. */
async function compose(
  { config: initial, sshAddress, socketPath }: WorkerServe,
  who: WorkerIdentity,
  log: Logger,
  lifecycle: Lifecycle,
  phase: Phase,
) {
  const live = createLiveConfig(initial);
  const { config } = live;
  const onFault = (error: unknown, method: string) =>
    log.error({ err: error, method }, 'a request of another process failed');
  const supervisor = openSteadyPeer({ path: socketPath, who, onFault });
  lifecycle.onClose(() => supervisor.close());
  const ports = await openWorkerPorts({ supervisor, config, log, lifecycle });
  const rules = createRules(config, log, ports);
  const hostKeys = await openHostKeyRing(config.hostKeysDir);
  const endpoint = endpointOf(config, hostKeys.current, () => sshAddress);
  const endForFault = createEndForFault(log, rules.meter);
  lifecycle.onClose(
    watchRevocations({ ...rules, authorizer: rules.standing, onReload: live.onReplace, log }),
  );
  const engineAnswers = () =>
    rules.engine.ping().then(
      () => true,
      () => false,
    );
  const health = {
    ...{ config, log, meter: rules.meter, engineAnswers },
    isDraining: () => phase.isDraining,
    answersLast: () => phase.isDraining || phase.isRetired,
  };
  const doors = { config, log, rules, hostKeys: hostKeys.current, endpoint, endForFault, health };
  const serving = await openDoors(doors);
  live.onReplace(() => {
    log.level = config.logLevel;
  });
  return { live, supervisor, rules, hostKeys, serving, endForFault };
}

/** What it was told so far. */
interface Phase {
  isDraining: boolean;
  /** No more sockets come. */
  isRetired: boolean;
}

interface Ordered {
  readonly live: LiveConfig;
  readonly hostKeys: Pick<HostKeyRotation, 'read'>;
  readonly serving: Serving;
  readonly phase: Phase;
  readonly stop: (graceMs: number, reason: string) => Promise<void>;
  /** When all is stopped. */
  readonly leave: () => Promise<void>;
  readonly retire: (timeoutMs: number) => void;
}

/** Whatever the supervisor in charge may say. */
function ordersFor({
  live,
  hostKeys,
  serving,
  phase,
  stop,
  leave,
  retire,
}: Ordered): ReadonlyMap<string, Handler> {
  const hurry = new AbortController();
  return new Map<string, Handler>([
    [orders.ping, () => true],
    [
      orders.renew,
      async (params) => {
        live.replace(renewed(live.config, params as RenewOrder));
        await hostKeys.read();
        await serving.renew();
        return true;
      },
    ],
    [
      orders.announceDrain,
      () => {
        phase.isDraining = true;
      },
    ],
    [
      orders.drain,
      async (params) => {
        phase.isDraining = true;
        await serving.drain({ timeoutMs: (params as DrainOrder).timeoutMs, hurry: hurry.signal });
        return true;
      },
    ],
    [orders.hurry, () => hurry.abort()],
    [orders.retire, (params) => retire((params as RetireOrder).timeoutMs)],
    [
      orders.close,
      async (params) => {
        const { graceMs, reason } = params as CloseOrder;
        await stop(graceMs, reason);
        // Behind the answer.
        setImmediate(leave);
        return true;
      },
    ],
  ]);
}
