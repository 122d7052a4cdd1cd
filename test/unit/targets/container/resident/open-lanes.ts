/** Lanes from end to end, over a real passage, for one test: the gateway's side and the resident's in one process. */
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { byLanes } from '../../../../../src/targets/container/resident/by-lanes.ts';
import { createLanes } from '../../../../../src/targets/container/sidecar/inside/lanes.ts';
import type { ProgramStream } from '../../../../../src/targets/container/sidecar/inside/program-order.ts';
import type {
  Answered,
  InsideConnection,
} from '../../../../../src/targets/container/sidecar/inside-connection.ts';
import { openPassage, type Passage } from '../../../../../src/targets/container/sidecar/open-passage.ts';

/** `answer` stands in for the program. */
export async function open(answer: (stream: ProgramStream) => Promise<void>) {
  const passage = await openPassage();
  const lanes = createLanes(answer);
  lanes.hold(join(passage.folder, 'socket'));
  const reply = () => Object.assign(new PassThrough(), { respond: () => {} }) as never;
  const opened = await openOver(
    passage,
    (query) => lanes.open(reply(), query),
    (query) => lanes.cut(reply(), query),
  );
  await opened.hasLane;
  return opened;
}

/** `lane` and `cut` stand in for the resident. */
export async function openOver(
  passage: Passage,
  lane: (query: URLSearchParams) => Promise<void>,
  cut: (query: URLSearchParams) => Promise<void> = async () => {},
  again: { againMs?: number } = {},
) {
  const asked: string[] = [];
  const gone: (() => void)[] = [];
  const answered = (stream: PassThrough): Answered => ({
    ...{ stream, headers: {}, cancel: () => {}, trailers: () => undefined },
  });
  const connection: InsideConnection = {
    ...{ load: 0, asked: 0, isOpen: true, isWorn: false, answers: async () => true },
    onClose: (listener) => void gone.push(listener),
    close() {
      for (const each of gone.splice(0)) each();
    },
    async ask(path) {
      asked.push(path);
      const [name, query] = path.split('?');
      if (name === '/lane') await lane(new URLSearchParams(query));
      if (name === '/cut') await cut(new URLSearchParams(query));
      return answered(new PassThrough());
    },
  };
  const firstLane = Promise.withResolvers<void>();
  const watched: Passage = {
    ...passage,
    expect() {
      const expected = passage.expect();
      const arrived = async () => {
        const socket = await expected.arrived();
        // It carries what is asked for from the next turn on.
        setImmediate(firstLane.resolve);
        return socket;
      };
      return { ...expected, arrived };
    },
  };
  const inside = byLanes(connection, watched, again);
  onTestFinished(() => {
    inside.close();
    passage.close();
  });
  return { inside, asked, hasLane: firstLane.promise };
}

export const run = (inside: InsideConnection, order = 'order') => inside.ask('/run', Buffer.from(order));

export const byConnection = (asked: readonly string[]) => asked.filter((path) => path === '/run').length;

/** Once a lane is free, however long its opening or its last program's end took. */
export async function runByLane(
  inside: InsideConnection,
  asked: readonly string[],
  order: string,
): Promise<Answered> {
  for (;;) {
    const before = byConnection(asked);
    const answered = await run(inside, order);
    if (byConnection(asked) === before) return answered;
    await pause(1);
  }
}
