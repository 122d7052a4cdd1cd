/** Lends the gateway our ends of a program's pipes, for it to open them too. Imports nothing but Node. */
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Started } from './start-program.ts';

export interface HandedOver {
  /** Numbers of stdin, stdout and stderr; `-`: the program has no stdin any more. */
  readonly told: string;
  /** The gateway has opened them, or never will. */
  release(): void;
  readonly released: Promise<void>;
  /** The gateway has left: what the program still writes is read and dropped. */
  drain(): void;
  /** The program has exited. */
  end(): void;
}

/** Undefined where they are no pipes, or cannot be lent. They are opened anew: no number stands for another file meanwhile. */
export function handOver({ stdio, descriptors }: Started): HandedOver | undefined {
  if (!descriptors || stdio[1].destroyed || stdio[2].destroyed) return undefined;
  const { promise: released, resolve } = Promise.withResolvers<void>();
  const opened: number[] = [];
  const open = (at: 0 | 1 | 2, flags: number) => {
    const fd = openSync(`/proc/self/fd/${descriptors[at]}`, flags | constants.O_NONBLOCK);
    opened.push(fd);
    return fd;
  };
  const close = () => {
    for (const fd of opened.splice(0)) closeSync(fd);
  };
  try {
    const outputs = [open(1, constants.O_RDONLY), open(2, constants.O_RDONLY)];
    const input = stdio[0].destroyed ? undefined : openUnlessUnread(() => open(0, constants.O_WRONLY));
    let readers: Socket[] = [];
    return {
      told: [input ?? '-', ...outputs].join(),
      released,
      release() {
        // While it is open, its program sees no end of stdin.
        if (input !== undefined && opened.length > outputs.length) closeSync(opened.pop() as number);
        resolve();
      },
      drain() {
        readers = opened.splice(0, outputs.length).map((fd) => new Socket({ fd, writable: false }));
        for (const reader of readers) reader.on('error', () => {}).resume();
      },
      end() {
        close();
        for (const reader of readers) reader.destroy();
      },
    };
  } catch {
    close();
    return undefined;
  }
}

function openUnlessUnread(open: () => number): number | undefined {
  try {
    return open();
  } catch {
    return undefined;
  }
}
