/** `postern work`: what a supervisor starts to serve connections. */
import { Socket } from 'node:net';
import { pino } from 'pino';
import { startWorkerGateway, type WorkerGateway } from '../gateway-worker.ts';
import type { FromWorker, ToWorker, WorkerBegin } from '../workers/messages.ts';
import type { CliCommand } from './run-cli.ts';
import { logDestination } from './serve-setup.ts';
import { uncaught } from './uncaught.ts';

export const work: CliCommand = async () => {
  if (!process.send) throw new Error('"work" is what "postern serve" starts by itself; start that.');
  // A terminal sends them to all of its processes; what they mean, the keeper decides.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  const say = (message: FromWorker) => process.connected && process.send?.(message, undefined, {}, () => {});
  const ended = Promise.withResolvers<number>();
  let begin: WorkerBegin | undefined;
  let gateway: WorkerGateway | undefined;
  const log = pino({ level: 'info' }, logDestination());

  const handlers: {
    readonly [Kind in ToWorker['kind']]: (
      message: Extract<ToWorker, { kind: Kind }>,
      socket?: Socket,
    ) => unknown;
  } = {
    begin(message) {
      begin = message;
      log.level = message.config.logLevel;
      onEndOfFile(message.lifelineFd, () => end('the keeper is gone'));
      say({ kind: 'loaded' });
    },
    async serve(message) {
      const { id = '', version = '' } = begin ?? {};
      gateway = await startWorkerGateway(message, { id, pid: process.pid, version }, log);
      void gateway.ended.then(() => ended.resolve(0));
      say({ kind: 'serving' });
    },
    ssh: (message, socket) => gateway?.ssh(message, socket),
    http: (message, socket) => gateway?.http(message, socket),
    retire: ({ timeoutMs }) => gateway?.retire(timeoutMs),
  };
  async function end(reason: string): Promise<void> {
    log.warn(`${reason}; this worker ends`);
    setTimeout(() => process.exit(1), endWithinMs).unref();
    await gateway?.stop(graceMs, 'the gateway is shutting down.');
    ended.resolve(1);
  }
  process.on('message', (message: ToWorker, socket: Socket | undefined) => {
    const handle = handlers[message.kind] as (message: ToWorker, socket?: Socket) => unknown;
    Promise.resolve(handle(message, socket)).catch((error: Error) => {
      say({ kind: 'refused', problem: error.message });
      log.error({ err: error }, 'a worker cannot serve');
      ended.resolve(1);
    });
  });
  process.on('disconnect', () => (gateway ? gateway.retire() : ended.resolve(1)));
  const current = () => gateway ?? { endForFault: () => {}, noteFault: () => {} };
  void uncaught(current, log, 'internal error; the worker ends').then(() => end('an internal error'));
  const status = await ended.promise;
  process.exit(status);
};

const graceMs = 2_000;
const endWithinMs = 15_000;

/** Of a pipe in which nobody says anything. */
function onEndOfFile(fd: number, listener: () => void): void {
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on('error', () => {});
  socket.once('close', listener);
  socket.resume();
  socket.unref();
}
