/** Engines that the supervisor follows for its workers, over a socket as theirs. */
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { type IpcListener, openIpcListener } from '../../../../src/ipc/open-listener.ts';
import { openSteadyPeer, type SteadyPeer } from '../../../../src/ipc/open-steady-peer.ts';
import type { Peer } from '../../../../src/ipc/peer.ts';
import type { Handler } from '../../../../src/ipc/serving.ts';
import { type ChangeStream, createChangeStream } from '../../../../src/targets/changes.ts';
import { changesOverIpc, type FollowChanges, serveChanges } from '../../../../src/workers/ports/changes.ts';
import { openPortsFolder } from '../../../support/ports-workers.ts';

let path: string;
let listener: IpcListener;
/** Streams that the supervisor follows, by engine. */
let followed: { name: string | undefined; stream: ChangeStream; closed: AbortSignal }[];
let opens: () => Promise<unknown>;
const faults: unknown[] = [];
const onFault = (error: unknown) => void faults.push(error);

const port = serveChanges(async ({ name, docker }) => {
  if (name === 'unknown' || docker === 'unix:///other') return undefined;
  return async (closed) => {
    await opens();
    const stream = createChangeStream(() => {});
    closed.addEventListener('abort', () => stream.destroy());
    followed.push({ name, stream, closed });
    return stream;
  };
});

const listen = (handlersFor: (worker: string, peer: Peer) => Iterable<readonly [string, Handler]>) =>
  openIpcListener({
    path,
    onFault,
    accept: ({ who }, peer) => new Map(handlersFor(String(who), peer)),
  });
beforeEach(async () => {
  path = join(await openPortsFolder(), 'workers.sock');
  followed = [];
  faults.length = 0;
  opens = async () => {};
  listener = await listen(port.handlersFor);
  onTestFinished(async () => {
    await listener.close();
    expect(faults).toEqual([]);
  });
});

interface Worker {
  readonly supervisor: SteadyPeer;
  readonly follow: FollowChanges;
  /** Engines that it had to follow itself. */
  readonly alone: (string | undefined)[];
  open(name?: string, docker?: string): Promise<Followed>;
}
type Followed = Awaited<ReturnType<typeof followBy>>;

function startWorker(): Worker {
  const supervisor = openSteadyPeer({ path, who: 'worker', onFault });
  onTestFinished(() => supervisor.close());
  const follow = changesOverIpc(supervisor);
  const alone: (string | undefined)[] = [];
  const open: Worker['open'] = (name, docker) =>
    followBy((closed) =>
      follow({ name, docker }, async () => {
        alone.push(name);
        return new PassThrough();
      })(closed),
    );
  return { supervisor, follow, alone, open };
}

async function followBy(open: (closed: AbortSignal) => Promise<NodeJS.ReadableStream>) {
  const closing = new AbortController();
  const facts = { changes: 0, isOver: false };
  const stream = await open(closing.signal);
  stream
    .on('data', () => facts.changes++)
    .on('close', () => {
      facts.isOver = true;
    });
  return { facts, close: () => closing.abort() };
}
const tell = () => {
  for (const { stream } of followed) stream.tell();
};

it('each worker that follows an engine hears that it has changed', async () => {
  const [one, other] = [startWorker(), startWorker()];
  const heard = await Promise.all([one.open(), other.open(), one.open('far')]);
  tell();
  await expect.poll(() => heard.map(({ facts }) => facts.changes)).toEqual([1, 1, 1]);
  followed.find(({ name }) => name === 'far')?.stream.tell();
  await expect.poll(() => heard.map(({ facts }) => facts.changes)).toEqual([1, 1, 2]);
});

it('changes of one turn are told once, and none is lost', async () => {
  const { facts } = await startWorker().open();
  for (let time = 0; time < 100; time++) {
    tell();
    await new Promise((resolve) => process.nextTick(resolve));
  }
  await expect.poll(() => facts.changes).toBeGreaterThan(0);
  expect(facts.changes).toBeLessThan(100);
  const before = facts.changes;
  tell();
  await expect.poll(() => facts.changes).toBe(before + 1);
});

it('it is open when the supervisor’s stream is, and not before', async () => {
  const answering = Promise.withResolvers<void>();
  opens = () => answering.promise;
  let isOpen = false;
  const opening = startWorker()
    .open()
    .then(() => {
      isOpen = true;
    });
  for (let time = 0; time < 20; time++) await turn();
  expect(isOpen).toBe(false);
  answering.resolve();
  await opening;
  expect(followed).toHaveLength(1);
});

it('an engine that tells no more, or refuses, is over for whoever follows it, and is followed anew', async () => {
  const worker = startWorker();
  const { facts } = await worker.open();
  followed[0]?.stream.destroy();
  await expect.poll(() => facts.isOver).toBe(true);
  opens = async () => {
    throw new Error('refused');
  };
  await expect(worker.open()).rejects.toThrow('follows the engine no more');
  opens = async () => {};
  expect((await worker.open()).facts.isOver).toBe(false);
});

it('the supervisor leaves an engine that a worker has left, also before it was open', async () => {
  const worker = startWorker();
  const { close, facts } = await worker.open();
  close();
  await expect.poll(() => followed[0]?.closed.aborted).toBe(true);
  expect(facts.isOver).toBe(true);
  const closing = new AbortController();
  const opening = worker.follow(
    { name: undefined, docker: undefined },
    async () => new PassThrough(),
  )(closing.signal);
  closing.abort();
  await expect(opening).rejects.toThrow();
  await expect.poll(() => followed.map(({ closed }) => closed.aborted)).toEqual([true, true]);
});

it('a worker whose connection ends follows nothing, and follows anew on the next', async () => {
  const worker = startWorker();
  const { facts } = await worker.open();
  await listener.leave(1_000);
  await expect.poll(() => [facts.isOver, followed[0]?.closed.aborted]).toEqual([true, true]);
  listener = await listen(port.handlersFor);
  const again = await worker.open();
  followed[1]?.stream.tell();
  await expect.poll(() => again.facts.changes).toBe(1);
});

it('greedy-worker: it has one stream of an engine, however often it asks for it', async () => {
  const worker = startWorker();
  const all: Followed[] = [];
  for (let time = 0; time < 20; time++) all.push(await worker.open('far', `unix:///${time}`));
  await expect.poll(() => all.filter(({ facts }) => !facts.isOver)).toHaveLength(1);
  await expect.poll(() => followed.filter(({ closed }) => !closed.aborted)).toHaveLength(1);
});

it('greedy-worker: an engine’s name that makes no sense is answered with an error', async () => {
  const { supervisor } = startWorker();
  for (const name of [{}, 7, ['x']]) {
    await expect(supervisor.request('changes.follow', [1, name, null])).rejects.toThrow();
  }
  expect(faults.splice(0)).toHaveLength(3);
  expect(followed).toEqual([]);
});

it('an engine that the supervisor does not know, or knows as another, the worker follows itself', async () => {
  const worker = startWorker();
  await worker.open('unknown');
  await worker.open(undefined, 'unix:///other');
  expect([worker.alone, followed]).toEqual([['unknown', undefined], []]);
});

it('under a supervisor of a version that follows nothing for others, a worker follows itself', async () => {
  await listener.close();
  listener = await listen(() => []);
  const worker = startWorker();
  await worker.open('far');
  expect(worker.alone).toEqual(['far']);
});
