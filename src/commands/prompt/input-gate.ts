/**
 * One terminal's input, handed to whoever reads just now: the line editor, or the program that a line
 * started. Nothing is read ahead of need, so the peer waits at its window, and nothing is lost in between.
 */
import { Readable } from 'node:stream';
import { readOnce } from '../read-once.ts';

export interface InputGate {
  /** The next bytes; undefined when the peer sent its EOF or is gone, or when `wanted` says no by then. */
  take(wanted?: () => boolean): Promise<Buffer | undefined>;
  /** Puts back what was taken and not used. */
  putBack(bytes: Buffer): void;
  /** A stdin for a program. Reads only as the program does; `giveBack` returns what the program left. */
  lend(): { readonly stdin: Readable; giveBack(): void };
}

export function createInputGate(source: Readable, closed: AbortSignal): InputGate {
  const pending: Buffer[] = [];
  let filling: Promise<boolean> | undefined;

  // One reader at a time, whoever waits: what arrives goes to whoever is entitled to it then.
  const fill = () => {
    filling ??= readOnce(source, closed).then((chunk) => {
      filling = undefined;
      if (chunk) pending.push(chunk);
      return chunk !== undefined;
    });
    return filling;
  };

  async function take(wanted = () => true): Promise<Buffer | undefined> {
    while (wanted()) {
      const next = pending.shift();
      if (next) return next;
      if (!(await fill())) return undefined;
    }
    return undefined;
  }

  const putBack = (bytes: Buffer) => {
    if (bytes.length > 0) pending.unshift(bytes);
  };

  return { take, putBack, lend: () => lend(take, putBack) };
}

function lend(take: InputGate['take'], putBack: InputGate['putBack']) {
  let lent = true;
  const stdin = new Readable({
    highWaterMark: 4096,
    read() {
      take(() => lent).then((chunk) => {
        if (lent) this.push(chunk ?? null);
        else if (chunk) putBack(chunk);
      });
    },
  });
  stdin.on('error', () => undefined);
  return {
    stdin,
    giveBack() {
      lent = false;
      if (!stdin.destroyed && !stdin.readableFlowing) {
        const left: unknown = stdin.read();
        if (Buffer.isBuffer(left)) putBack(left);
      }
      stdin.destroy();
    },
  };
}
