/** A worker that has nothing but its ports: does with them what its parent says, and answers with what came of it. */
import pino from 'pino';
import { createAudit } from '../../src/audit/audit.ts';
import { openSteadyPeer } from '../../src/ipc/open-steady-peer.ts';
import { createMetrics } from '../../src/metrics/create-metrics.ts';
import { createConnections } from '../../src/sessions/create-connections.ts';
import { localSessions } from '../../src/sessions/session-directory.ts';
import { metricsOverIpc } from '../../src/workers/ports/metrics.ts';
import { portsOverIpc } from '../../src/workers/ports/ports-over-ipc.ts';
import { identity } from './session-io.ts';

const [path = '', id = ''] = process.argv.slice(2);
const log = pino({ level: 'silent' });
const onFault = (error: unknown) => log.error(error);
const supervisor = openSteadyPeer({ path, who: id, onFault });
const connections = createConnections();
const ports = portsOverIpc(supervisor, localSessions(connections));
const metrics = createMetrics('test');
metricsOverIpc(supervisor, metrics);
const audit = createAudit(ports.tell, metrics.auditSink);
const taken: (() => void)[] = [];

const acts: Readonly<Record<string, (...args: never[]) => unknown>> = {
  async take(name: string, limit: number) {
    const giveBack = await ports.slots.take(name, limit);
    if (giveBack) taken.push(giveBack);
    return giveBack !== undefined;
  },
  expect: (name: string, limit: number) => ports.slots.expect?.(name, limit),
  give: () => taken.shift()?.(),
  penalise: (address: string) => ports.penalties.penalise(address, 'authfail'),
  refuse: async (address: string) => (await ports.penalties.refuse(address))?.reason ?? null,
  listPenalties: () => ports.penalties.list(5),
  clear: (address: string) => ports.penalties.clear(address),
  clearAll: () => ports.penalties.clearAll(),
  rate: (key: string) => ports.tokenRate.take(key),
  order: (page: number, ids: string[]) => ports.pageSnapshots.orderOf('reader', page, ids),
  record: async (recording: string) => (await ports.recordingSpace.begin(recording)) ?? null,
  wrote: (bytes: number) => ports.recordingSpace.written(bytes),
  running: () => ports.recordingSpace.listRunning(),
  removeRecording: (recording: string) => ports.recordingSpace.remove(recording),
  begin(sessionId: string) {
    const facts = { sessionId, target: 'web', what: 'sleep', kind: 'container', start: 'exec' } as const;
    audit.sessionStarted(identity, facts);
    connections.addSession({
      ...{ id: sessionId, connectionId: id, identity, target: 'web', what: 'sleep' },
      openedAt: new Date().toISOString(),
      traffic: () => ({ bytesIn: 1, bytesOut: 2 }),
      end: (reason) => process.send?.({ ended: sessionId, reason }),
    });
    return ports.auditLog.flush();
  },
  find: () => ports.sessions.find({}),
  end: (sessionId: string, reason: string) => ports.sessions.end(sessionId, reason),
  problem: () => ports.auditLog.problem() ?? null,
};

process.on('message', async ({ number, act, args }: { number: number; act: string; args: never[] }) => {
  try {
    process.send?.({ number, result: await acts[act]?.(...args) });
  } catch (error) {
    process.send?.({ number, error: (error as Error).message });
  }
});
process.send?.({ ready: true });
