/** The gateway that wire surfaces aim at, and whether it still does well: it answers in time, and logs no fault of its own. */
import { fork } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { FromGateway, GatewayFacts } from './gateway-process.ts';
import { afterWorking } from './patience.ts';
import type { Memory } from './surface.ts';

export interface FuzzedGateway extends GatewayFacts {
  /** Throws what went wrong since the last time, if anything did. */
  readonly check: () => void;
  readonly memory: () => Promise<Memory>;
  readonly close: () => Promise<void>;
}

const program = new URL('./gateway-process.ts', import.meta.url).pathname;
const answersWithinMs = 1_000;
const askEveryMs = 1_000;
/** A busy machine makes it late once. */
const lateTwice = 2;
/** A little more than the gateway gives a peer to close its side. */
const hangUpGraceMs = 2_500;

/** These bytes to one of its ports, as a peer that then closes its side, and hears what comes until the gateway, too, has done so. */
export async function sendAll(
  gateway: FuzzedGateway,
  port: number,
  bytes: Buffer,
  closesWithinMs: number,
): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {}).resume();
  socket.end(bytes);
  const deadline = setTimeout(() => socket.destroy(), closesWithinMs);
  await new Promise((resolve) => socket.once('close', resolve));
  clearTimeout(deadline);
  gateway.check();
}

export async function openFuzzedGateway(): Promise<FuzzedGateway> {
  const child = fork(program, [], {
    execArgv: ['--max-semi-space-size=8'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const faults: string[] = [];
  let isClosing = false;
  let hasToldMemory = false;
  const waiting: ((message: FromGateway) => void)[] = [];
  child.on('message', (message: FromGateway) => {
    if ('fault' in message) faults.push(message.fault);
    else waiting.shift()?.(message);
  });
  child.once('exit', (status, signal) => {
    if (!isClosing) faults.push(`the gateway ended with ${signal ?? `status ${status}`}`);
    for (const tell of waiting.splice(0)) tell({ fault: 'it ended' });
  });
  const next = () => new Promise<FromGateway>((resolve) => waiting.push(resolve));
  const told = await next();
  if (!('facts' in told)) throw new Error(faults.join('\n'));
  const { facts } = told;
  const stopAsking = askForSignsOfLife(facts.port, (what) => faults.push(what));
  return {
    ...facts,
    check() {
      if (faults.length > 0) throw new Error(faults.splice(0).join('\n'));
    },
    async memory() {
      // The first time much is to come yet; at the end, connections that were cut off are given the time they have.
      if (hasToldMemory) await pause(hangUpGraceMs);
      hasToldMemory = true;
      const answer = next();
      child.send('memory');
      const message = await answer;
      if (!('memory' in message)) throw new Error('the gateway does not say what it holds');
      return message.memory;
    },
    async close() {
      isClosing = true;
      stopAsking();
      if (child.connected) child.disconnect();
      if (child.exitCode === null && child.signalCode === null)
        await new Promise((resolve) => child.once('exit', resolve));
      await rm(facts.folder, { recursive: true, force: true });
    },
  };
}

/** Each second, whether a newcomer is greeted within one. */
function askForSignsOfLife(port: number, onFault: (what: string) => void): () => void {
  let isOver = false;
  let late = 0;
  const ask = async () => {
    while (!isOver) {
      const isGreeted = await greeted(port);
      late = isGreeted ? 0 : late + 1;
      if (late >= lateTwice && !isOver) onFault(`no greeting within ${answersWithinMs} ms`);
      await pause(askEveryMs, undefined, { ref: false });
    }
  };
  void ask();
  return () => {
    isOver = true;
  };
}

function greeted(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (isGreeted: boolean) => {
      stopWaiting();
      socket.destroy();
      resolve(isGreeted);
    };
    const stopWaiting = afterWorking(answersWithinMs, () => done(false));
    socket.once('data', (data) => done(data.toString('latin1').startsWith('SSH-2.0-')));
    socket.on('error', () => done(false));
  });
}
