/** Carries a program's output from named pipes to the client, at the client's pace. */
import type { Socket } from 'node:net';
import type { SessionIo } from '../../../sessions/session.ts';
import type { PipeEnds } from './resident-process.ts';

/** After the exit, of a program whose background child keeps its output open. */
const silenceTicks = 4;
const tickMs = 25;
const atMostTicks = 80;

export interface CarriedOutput {
  /** The program has exited. Resolves when all that it wrote was handed over. */
  finish(): Promise<void>;
}

export function carryOutput(pipes: PipeEnds, io: Pick<SessionIo, 'stdout' | 'stderr'>): CarriedOutput {
  const outputs = [pipes.stdout, pipes.stderr];
  const ended = Promise.withResolvers<void>();
  let open = outputs.length;
  let quietTicks = 0;
  const carry = (from: Socket, to: SessionIo['stdout']) => {
    const resume = () => void from.resume();
    from.on('data', (chunk: Buffer) => {
      quietTicks = 0;
      if (to.writable && !to.write(chunk) && to.writable) from.pause();
    });
    for (const event of ['drain', 'close', 'error']) to.on(event, resume);
    from.once('close', () => {
      for (const event of ['drain', 'close', 'error']) to.off(event, resume);
      open--;
      if (open === 0) ended.resolve();
    });
  };
  carry(pipes.stdout, io.stdout);
  carry(pipes.stderr, io.stderr);
  return {
    async finish() {
      let ticks = 0;
      // By ticks and not by the clock: after each of them, all that was there has been read. A client may take its time.
      const watch = setInterval(() => {
        if (outputs.some((each) => each.isPaused())) return;
        ticks++;
        quietTicks++;
        if (quietTicks > silenceTicks || ticks >= atMostTicks) ended.resolve();
      }, tickMs);
      await ended.promise;
      clearInterval(watch);
    },
  };
}
