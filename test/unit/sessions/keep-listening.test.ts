import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, GatewayError } from '../../../src/errors.ts';
import { keepListening } from '../../../src/sessions/keep-listening.ts';
import type { ForwardDestination, RemoteListener } from '../../../src/targets/target.ts';

const gone = () => new GatewayError('container-not-running', { name: 'web', state: 'exited' });
const forbidden = () => new GatewayError('forward-refused', { name: 'web' });

/** Listeners that end when the test says so; each attempt may be made to fail. */
function openings(failures: readonly (GatewayError | undefined)[] = []) {
  const asked: ForwardDestination[] = [];
  const opened: { end: () => void; closed: boolean }[] = [];
  const open = async (place: ForwardDestination): Promise<RemoteListener> => {
    const failure = failures[asked.length];
    asked.push(place);
    if (failure) throw failure;
    const listeners: (() => void)[] = [];
    const entry = {
      closed: false,
      end: () => {
        for (const listener of listeners.splice(0)) listener();
      },
    };
    opened.push(entry);
    return {
      place: { host: 'localhost', port: 4321 },
      onClose: (listener) => void listeners.push(listener),
      close: () => {
        entry.closed = true;
        entry.end();
      },
    };
  };
  return { asked, opened, open };
}

const anyPort = { host: 'localhost', port: 0 };
const pauses = [1, 1, 1];
const settled = () => pause(50);
const code = (failure: unknown): ErrorCode | undefined =>
  failure instanceof GatewayError ? failure.code : undefined;

describe('a listener that is kept', () => {
  it('is opened again at the port that it had', async () => {
    const { asked, opened, open } = openings([undefined, gone()]);
    const listener = await keepListening(anyPort, open, pauses);
    opened[0]?.end();
    await expect.poll(() => opened).toHaveLength(2);
    await settled();
    expect(asked).toEqual([anyPort, listener.place, listener.place]);
    expect(listener.place).toEqual({ host: 'localhost', port: 4321 });
    opened[1]?.end();
    await expect.poll(() => opened).toHaveLength(3);
  });

  it('is over when it is closed, also while it is being opened again', async () => {
    const { opened, open } = openings();
    const listener = await keepListening(anyPort, open, pauses);
    let ends = 0;
    listener.onClose(() => ends++);
    opened[0]?.end();
    listener.close();
    await settled();
    expect([opened.length, ends]).toEqual([1, 1]);
    const other = await keepListening(anyPort, open, pauses);
    other.close();
    expect(opened[1]?.closed).toBe(true);
  });

  it('is over at once when it is not allowed any more, and in the end when it cannot be', async () => {
    for (const [failures, attempts] of [
      [[undefined, forbidden()], 2],
      [[undefined, gone(), gone(), gone(), gone()], 4],
    ] as const) {
      const { asked, opened, open } = openings(failures);
      const listener = await keepListening(anyPort, open, pauses);
      let ended = false;
      listener.onClose(() => {
        ended = true;
      });
      opened[0]?.end();
      await expect.poll(() => ended).toBe(true);
      await settled();
      expect(asked).toHaveLength(attempts);
    }
  });

  it('is none where the first attempt fails', async () => {
    const { open } = openings([forbidden()]);
    expect(await keepListening(anyPort, open, pauses).catch(code)).toBe('forward-refused');
  });
});
