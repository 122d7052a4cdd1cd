/**
 * Stands between the engine's output and the client until the program is known to run: takes out
 * the launcher's line, and keeps back what the engine itself says in the program's place when
 * nothing could be started (it comes in-band, as if the program had written it).
 */
import type { OutputStream } from './frames.ts';
import { createLaunchLineReader } from './launch-line.ts';

export interface LaunchGate {
  feed(stream: OutputStream, data: Buffer): void;
  /** Undefined until the launcher told it. */
  readonly pid: number | undefined;
  readonly isOpen: boolean;
  /** At the end: what was kept back, if the gate never opened. Empties it. */
  takeHeld(): readonly (readonly [OutputStream, Buffer])[];
}

/** The two outputs race: the program's stdout may overtake the launcher's line on stderr. */
const maxHeldBytes = 1024 * 1024;
const maxEngineTextBytes = 4096;
const engineText = Buffer.from('OCI runtime exec failed: ');

export interface LaunchGateOptions {
  readonly marker: string | undefined;
  /** Where the launcher writes its line. */
  readonly lineStream: OutputStream;
  readonly onOutput: (stream: OutputStream, data: Buffer) => void;
  /** The gate has opened: the program runs, with this pid where it was told. */
  readonly onOpen: (pid: number | undefined) => void;
}

export function createLaunchGate(options: LaunchGateOptions): LaunchGate {
  const { marker, lineStream, onOutput, onOpen } = options;
  const line = marker === undefined ? undefined : createLaunchLineReader(marker);
  const held = createHeldOutput();
  let isOpen = false;
  let pid: number | undefined;

  const open = (told?: number) => {
    isOpen = true;
    pid = told;
    for (const [stream, data] of held.take()) onOutput(stream, data);
    onOpen(told);
  };
  const feedLaunched = (stream: OutputStream, data: Buffer) => {
    if (!line || stream !== lineStream) {
      held.add(stream, data);
      if (held.bytes() > maxHeldBytes) for (const each of held.take()) onOutput(...each);
      return;
    }
    const found = line.feed(data);
    if (!found) return;
    for (const part of found.rest) onOutput(stream, part);
    open(found.pid);
  };
  /** Nothing tells of the start: whatever does not begin like the engine's text is the program's. */
  const feedBare = (stream: OutputStream, data: Buffer) => {
    held.add(stream, data);
    const text = held.text();
    const length = Math.min(text.length, engineText.length);
    const like = text.subarray(0, length).equals(engineText.subarray(0, length));
    if (!like || held.bytes() > maxEngineTextBytes) open();
  };
  return {
    feed(stream, data) {
      if (isOpen) onOutput(stream, data);
      else if (line) feedLaunched(stream, data);
      else feedBare(stream, data);
    },
    get pid() {
      return pid;
    },
    get isOpen() {
      return isOpen;
    },
    takeHeld() {
      const rest = line && !isOpen ? line.flush() : undefined;
      return [...held.take(), ...(rest?.length ? [[lineStream, rest] as const] : [])];
    },
  };
}

/** What came before it was known whose it is, in order. */
function createHeldOutput() {
  let held: [OutputStream, Buffer][] = [];
  let bytes = 0;
  return {
    add(stream: OutputStream, data: Buffer): void {
      held.push([stream, data]);
      bytes += data.length;
    },
    take() {
      const taken = held;
      held = [];
      bytes = 0;
      return taken;
    },
    bytes: () => bytes,
    text: () => Buffer.concat(held.map(([, each]) => each)),
  };
}
