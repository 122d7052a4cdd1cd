/** Plays a recording on somebody's terminal: at its own pace or another, with pause, steps, and an end at any time. */
import type { CastEvent } from './asciicast.ts';
import { createTerminalFilter } from './terminal-filter.ts';
import { createTerminalReset } from './terminal-reset.ts';

export interface PlayerTerminal {
  /** Resolves when it was taken, or nobody is there any more. */
  write(text: string): Promise<void>;
  /** Calls back with each key, until the returned function is called. */
  onKey(listener: (key: string) => void): () => void;
  /** Aborted when nobody watches any more. */
  readonly closed: AbortSignal;
  readonly size: { readonly columns: number; readonly rows: number };
}

export interface PlayOptions {
  readonly speed: number;
  /** No pause is longer; undefined: as it was. */
  readonly idleLimitS: number | undefined;
  readonly recordedSize: { readonly columns: number; readonly rows: number };
}

const minSpeed = 1 / 16;
const maxSpeed = 64;
const longestPauseMs = 2_000_000_000;

export const playerKeys = 'space pauses, . steps, + and - change the speed, q leaves';

/** Resolves to whether it was played to its end. */
export async function playRecording(
  events: AsyncIterable<CastEvent>,
  terminal: PlayerTerminal,
  options: PlayOptions,
): Promise<boolean> {
  const filter = createTerminalFilter('play');
  const pace = createPace(options, terminal.closed);
  const stopKeys = terminal.onKey(pace.onKey);
  const reset = createTerminalReset();
  let isReset = true;
  try {
    await terminal.write(sizeNotice(options.recordedSize, terminal.size));
    for await (const event of events) {
      if (!(await pace.until(event.seconds))) return false;
      const shown = shownOf(event, filter);
      if (shown === '') continue;
      isReset = false;
      reset.saw(shown);
      await terminal.write(shown);
    }
    return true;
  } finally {
    stopKeys();
    if (!isReset) await terminal.write(reset.sequence());
  }
}

function sizeNotice(
  recorded: PlayOptions['recordedSize'],
  { columns, rows }: PlayerTerminal['size'],
): string {
  const fits = recorded.columns <= columns && recorded.rows <= rows;
  if (fits || columns === 0 || rows === 0) return '';
  return `postern: recorded at ${recorded.columns}x${recorded.rows}; this terminal has ${columns}x${rows}\r\n`;
}

function shownOf({ code, text }: CastEvent, filter: (text: string) => string): string {
  if (code === 'o') return filter(text);
  const plain = createTerminalFilter('text')(text).replace(/\s+/g, ' ');
  if (code === 'r') return notice(`the terminal becomes ${plain}`);
  return code === 'm' ? notice(plain) : '';
}

/** On the last line, and the cursor stays where it is. */
const notice = (text: string) => `\x1b7\x1b[999;1H\x1b[0;7m ${text.slice(0, 200)} \x1b[0m\x1b8`;

/** When each event is due, with what keys make of it. */
function createPace({ speed: asked, idleLimitS }: PlayOptions, closed: AbortSignal) {
  let speed = Math.min(maxSpeed, Math.max(minSpeed, asked));
  let isPaused = false;
  let isLeft = false;
  let steps = 0;
  let at = 0;
  let wake: () => void = () => {};
  closed.addEventListener('abort', () => wake(), { once: true });

  const keys: Readonly<Record<string, () => void>> = {
    ' ': () => {
      isPaused = !isPaused;
    },
    '.': () => {
      if (isPaused) steps++;
    },
    '+': () => {
      speed = Math.min(maxSpeed, speed * 2);
    },
    '-': () => {
      speed = Math.max(minSpeed, speed / 2);
    },
    q: () => {
      isLeft = true;
    },
  };
  const aliases: Readonly<Record<string, string>> = { '=': '+', _: '-', Q: 'q', '\x03': 'q', '\x04': 'q' };

  /** Resolves after so long, or at the next key. */
  const wait = (ms: number | undefined) =>
    new Promise<void>((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, Math.min(ms, longestPauseMs));
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  return {
    onKey(key: string) {
      keys[aliases[key] ?? key]?.();
      wake();
    },
    /** Resolves when the event of that second is due; false when nobody wants it any more. */
    async until(seconds: number): Promise<boolean> {
      let leftS = Math.min(Math.max(0, seconds - at), idleLimitS ?? Number.POSITIVE_INFINITY);
      at = Math.max(at, seconds);
      for (;;) {
        if (isLeft || closed.aborted) return false;
        if (steps > 0) {
          steps--;
          return true;
        }
        if (!isPaused && leftS <= 0) return true;
        const fromMs = performance.now();
        const speedThen = speed;
        const wasPaused = isPaused;
        await wait(isPaused ? undefined : (leftS / speed) * 1000);
        if (!wasPaused) leftS -= ((performance.now() - fromMs) / 1000) * speedThen;
        // Timers are coarser than this.
        if (leftS < 0.001) leftS = 0;
      }
    },
  };
}
