/** Takes the launcher's line with the pid out of what comes before the program's own output. */

export interface LaunchLine {
  /** What was written around the line; the program's, or a loader's warning. */
  readonly rest: readonly Buffer[];
  /** Undefined where the line names no sensible pid, or never came. */
  readonly pid: number | undefined;
}

/** Beyond this the line is not coming; what was held is passed on. */
const maxHeldBytes = 64 * 1024;
const maxPid = 4_194_304;
const none = Buffer.alloc(0);

/** Feed it chunks until it answers; `flush` gives what is held back at the end. */
export function createLaunchLineReader(marker: string) {
  let held: Buffer = none;
  const start = Buffer.from(`${marker} `);
  return {
    feed(chunk: Buffer): LaunchLine | undefined {
      held = held.length ? Buffer.concat([held, chunk]) : chunk;
      const from = held.indexOf(start);
      const end = from < 0 ? -1 : held.indexOf(0x0a, from);
      if (end < 0) return held.length > maxHeldBytes ? { rest: [held], pid: undefined } : undefined;
      const rest = [held.subarray(0, from), held.subarray(end + 1)].filter((part) => part.length > 0);
      return { rest, pid: parsePid(held.toString('latin1', from + start.length, end)) };
    },
    flush: (): Buffer => held,
  };
}

function parsePid(text: string): number | undefined {
  const digits = /^(\d{1,7})\r?$/.exec(text);
  const pid = Number(digits?.[1] ?? 0);
  return pid > 1 && pid <= maxPid ? pid : undefined;
}
