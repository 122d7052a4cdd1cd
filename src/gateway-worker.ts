/** The composition of a worker: the doors, over ports whose other ends are in the supervisor. */
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import { createLiveConfig } from './config/live-config.ts';
import { endpointOf, openDoors } from './gateway-doors.ts';
import { createRules } from './gateway-rules.ts';
import { openWorkerPorts } from './gateway-worker-ports.ts';
import { openSteadyPeer } from './ipc/open-steady-peer.ts';
import type { Handler } from './ipc/serving.ts';
import { createEndForFault } from './metrics/end-for-fault.ts';
import type { EndForFault } from './platform/fault-owner.ts';
import { createLifecycle } from './platform/lifecycle.ts';
import { watchRevocations } from './sessions/revocation.ts';
import { openHostKeyRing } from './ssh/host-key-ring.ts';
import type { PassedHttp, PassedSsh, WorkerServe } from './workers/messages.ts';
import {
  type CloseOrder,
  type DrainOrder,
  type HeldConnection,
  heldNews,
  type LeftNews,
  news,
  orders,
  type RenewOrder,
  type WorkerIdentity,
} from './workers/orders.ts';

export interface WorkerGateway {
  /** `socket` is undefined where it was closed on its way. */
  ssh(passed: PassedSsh, socket: Socket | undefined): void;
  http(passed: PassedHttp, socket: Socket | undefined): void;
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
  { config: initial, sshAddress, socketPath }: WorkerServe,
  who: WorkerIdentity,
  log: Logger,
): Promise<WorkerGateway> {
  const lifecycle = createLifecycle();
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
  const health = { config, log, meter: rules.meter, isDraining: () => isDraining, engineAnswers };
  const answersLast = () => isDraining || isRetired;
  const serving = await openDoors({
    config,
    log,
    rules,
    hostKeys: hostKeys.current,
    endpoint,
    endForFault,
    health: { ...health, answersLast },
  });
  let isDraining = false;
  let isRetired = false;
  const open = new Map<string, HeldConnection>();
  const ended = Promise.withResolvers<void>();
  const hurry = new AbortController();
  live.onReplace(() => {
    log.level = config.logLevel;
  });

  const left = (gone: LeftNews) => {
    supervisor.notify(news.left, gone);
    open.delete(gone.connection);
    leaveIfDone();
  };
  async function leaveIfDone(): Promise<void> {
    if (!isRetired || open.size > 0) return;
    // Whoever is in charge, or is about to be, must not take it for dead.
    await supervisor.request(news.leaving, undefined, { repeatable: true }).catch(() => {});
    if (open.size > 0) return;
    await lifecycle.close();
    ended.resolve();
  }
  async function stop(graceMs: number, reason: string): Promise<void> {
    await serving.close(graceMs, reason);
    await rules.auditLog.flush();
  }

  supervisor.onConnect((peer) => {
    for (const held of heldNews([...open.values()])) peer.notify(news.held, held);
  });
  supervisor.serve(
    new Map<string, Handler>([
      [orders.ping, () => true],
      [
        orders.renew,
        async (params) => {
          live.replace(renewed(config, params as RenewOrder));
          await hostKeys.read();
          await serving.renew();
          return true;
        },
      ],
      [
        orders.drain,
        async (params) => {
          isDraining = true;
          await serving.drain({ timeoutMs: (params as DrainOrder).timeoutMs, hurry: hurry.signal });
          return true;
        },
      ],
      [orders.hurry, () => hurry.abort()],
      [
        orders.close,
        async (params) => {
          const { graceMs, reason } = params as CloseOrder;
          await stop(graceMs, reason);
          // Behind the answer.
          setImmediate(() => lifecycle.close().finally(ended.resolve));
          return true;
        },
      ],
    ]),
  );

  return {
    ssh({ connection, ends, head }, socket) {
      if (!socket) return left({ connection });
      const { address: source } = ends.source;
      const held = { connection, kind: 'ssh', source } as const;
      open.set(connection, { ...held, isAuthenticated: false });
      const startup = {
        authenticated() {
          if (open.has(connection)) open.set(connection, { ...held, isAuthenticated: true });
          supervisor.notify(news.authenticated, { connection });
        },
        left: (offence?: LeftNews['offence']) =>
          left({ connection, ...(offence ? { offence, source } : {}) }),
      };
      serving.ssh({ socket, ends, head: Buffer.from(head, 'base64'), startup });
    },
    http({ connection }, socket) {
      if (!socket) return left({ connection });
      open.set(connection, { connection, kind: 'http', isAuthenticated: true });
      socket.once('close', () => left({ connection }));
      serving.http(socket, () => {});
    },
    endForFault,
    noteFault: () => rules.meter.faultCaught('gateway'),
    retire(timeoutMs) {
      isRetired = true;
      if (timeoutMs !== undefined) setTimeout(() => void stop(retireGraceMs, restartedReason), timeoutMs);
      void leaveIfDone();
    },
    ended: ended.promise,
    async stop(graceMs, reason) {
      await stop(graceMs, reason);
      await lifecycle.close();
    },
  };
}
