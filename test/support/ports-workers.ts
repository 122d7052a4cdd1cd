/** A supervisor of nothing but ports, in the test's own process, and workers that are processes of their own. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { onTestFinished } from 'vitest';
import { openAuditLog } from '../../src/audit/open-audit-log.ts';
import { gatewayPenalties } from '../../src/auth/gateway-penalties.ts';
import { createPenalties } from '../../src/auth/penalties.ts';
import { createTokenRate } from '../../src/auth/token-rate.ts';
import { configSchema } from '../../src/config/config.ts';
import { createPageSnapshots } from '../../src/dialects/page-snapshots.ts';
import { type IpcListener, openIpcListener } from '../../src/ipc/open-listener.ts';
import type { Peer } from '../../src/ipc/peer.ts';
import { createMetrics } from '../../src/metrics/create-metrics.ts';
import { steadyClock, systemClock } from '../../src/platform/clock.ts';
import { createSlots } from '../../src/platform/slots.ts';
import { createRecordingSpace } from '../../src/recordings/recording-space.ts';
import { type PortsServer, type SharedState, servePorts } from '../../src/workers/ports/serve-ports.ts';

const program = new URL('ports-process.ts', import.meta.url).pathname;
const log = pino({ level: 'silent' });

export interface PortsSupervisor {
  readonly server: PortsServer;
  readonly state: SharedState;
  readonly listener: IpcListener;
}

export async function openPortsFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-ports-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** At DATA/workers.sock. A second one takes the place of the first. */
export async function openPortsSupervisor(
  dataDir: string,
  more: Partial<SharedState> = {},
): Promise<PortsSupervisor> {
  const config = configSchema.parse({});
  const auditLog = await openAuditLog({ dataDir, log, clock: systemClock, maxFileBytes: 1e6, keptFiles: 0 });
  const limits = { maxFileBytes: 1e6, maxBytes: 0, keptMs: 0 };
  const recordingSpace = createRecordingSpace({ dataDir, log, clock: systemClock, limits });
  const peers = new Map<string, Peer>();
  const isExempt = () => false;
  const penalties = createPenalties({ config, clock: steadyClock, isExempt, onActive: () => {} });
  const state: SharedState = {
    penalties: gatewayPenalties(penalties),
    tokenRate: createTokenRate({ clock: steadyClock, perSecond: 0.01, burst: 2 }),
    pageSnapshots: createPageSnapshots(),
    slots: createSlots(),
    endPrograms: () => {},
    findChanges: async () => undefined,
    recordingSpace,
    auditLog,
    tellAudit: auditLog.write,
    metrics: createMetrics('test'),
    listWorkers: () => [...peers].map(([id, peer]) => ({ id, peer })),
    ...more,
  };
  const server = servePorts(state);
  const listener = await openIpcListener({
    path: join(dataDir, 'workers.sock'),
    onFault: (error) => {
      throw error;
    },
    accept({ who }, peer) {
      const id = String(who);
      peers.set(id, peer);
      return new Map(server.handlersFor({ id }, peer));
    },
  });
  onTestFinished(async () => {
    await listener.close();
    await recordingSpace.close();
    await auditLog.close();
  });
  return { server, state, listener };
}

export interface PortsWorker {
  readonly id: string;
  readonly child: ChildProcess;
  /** Sentences that its sessions were ended with. */
  readonly ended: readonly string[];
  ask<Result>(act: string, ...args: unknown[]): Promise<Result>;
  /** As the system would. */
  kill(supervisor: PortsSupervisor): Promise<void>;
}

let count = 0;

export async function startPortsWorker(dataDir: string): Promise<PortsWorker> {
  count += 1;
  const id = `1.${count}`;
  const child = fork(program, [join(dataDir, 'workers.sock'), id]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const answers = new Map<number, (answer: { result?: never; error?: string }) => void>();
  const ended: string[] = [];
  let last = 0;
  await once(child, 'message');
  child.on('message', (message: { number?: number; reason?: string; result?: never; error?: string }) => {
    if (message.reason !== undefined) ended.push(message.reason);
    if (message.number !== undefined) answers.get(message.number)?.(message);
  });
  return {
    id,
    child,
    ended,
    ask(act, ...args) {
      last += 1;
      const number = last;
      return new Promise((resolve, reject) => {
        answers.set(number, ({ result, error }) =>
          error === undefined ? resolve(result as never) : reject(new Error(error)),
        );
        child.send({ number, act, args });
      });
    },
    async kill(supervisor) {
      child.kill('SIGKILL');
      await once(child, 'exit');
      supervisor.server.gone(id);
    },
  };
}
