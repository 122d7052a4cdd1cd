/** asciicast v2: a header, then one event a line, each line whole in itself. What is ours stands under `postern`, and in `x` events. */
import type { RecordingMode } from './recording-modes.ts';
import type { EventCode, RecordingFacts } from './recordings.ts';

export interface CastEvent {
  /** Since the beginning. */
  readonly seconds: number;
  readonly code: string;
  readonly text: string;
}

export interface CastHeader {
  readonly facts: RecordingFacts;
  readonly mode: RecordingMode;
  readonly startedAtMs: number;
}

/** Of sessions without a terminal, for players need a size. */
const usualSize = { columns: 80, rows: 24 };

export function headerLine({ facts, mode, startedAtMs }: CastHeader): string {
  const { terminal, command, ...rest } = facts;
  // A terminal that says no size, or 0, has the usual one.
  const header = {
    version: 2,
    width: terminal?.columns || usualSize.columns,
    height: terminal?.rows || usualSize.rows,
    timestamp: Math.floor(startedAtMs / 1000),
    command,
    title: `${facts.account} in ${facts.target}`,
    ...(terminal ? { env: { TERM: terminal.term } } : {}),
    postern: { ...rest, terminal: terminal !== undefined, required: mode === 'required', startedAtMs },
  };
  return `${JSON.stringify(header)}\n`;
}

/** Microseconds are as fine as anybody tells apart. */
export const eventLine = (seconds: number, code: EventCode, text: string): string =>
  `[${Math.max(0, seconds).toFixed(6)},${JSON.stringify(code)},${JSON.stringify(text)}]\n`;

const object = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const numberOf = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : 0;

const kinds: readonly string[] = ['terminal', 'exec', 'files', 'forwards'] satisfies RecordingFacts['kind'][];

/** Undefined for what is no header of ours. */
export function parseHeader(line: string): CastHeader | undefined {
  const header = object(parseJson(line));
  const ours = object(header?.['postern']);
  if (!header || !ours || !kinds.includes(textOf(ours['kind']))) return undefined;
  const env = object(header['env']);
  return {
    mode: ours['required'] === true ? 'required' : 'on',
    startedAtMs: numberOf(ours['startedAtMs']),
    facts: {
      id: textOf(ours['id']),
      ...(typeof ours['gateway'] === 'string' ? { gateway: ours['gateway'] } : {}),
      kind: textOf(ours['kind']) as RecordingFacts['kind'],
      account: textOf(ours['account']),
      accountId: textOf(ours['accountId']),
      fingerprint: textOf(ours['fingerprint']),
      source: textOf(ours['source']),
      connectionId: textOf(ours['connectionId']),
      target: textOf(ours['target']),
      targetKey: textOf(ours['targetKey']),
      ...(typeof ours['user'] === 'string' ? { user: ours['user'] } : {}),
      command: textOf(header['command']),
      ...(ours['terminal'] === true
        ? {
            terminal: {
              columns: numberOf(header['width']),
              rows: numberOf(header['height']),
              term: textOf(env?.['TERM']),
            },
          }
        : {}),
    },
  };
}

/** Undefined for what is no event: half a line, say, after a power cut. */
export function parseEvent(line: string): CastEvent | undefined {
  const event = parseJson(line);
  if (!Array.isArray(event)) return undefined;
  const [seconds, code, text] = event as unknown[];
  const isEvent = typeof seconds === 'number' && typeof code === 'string' && typeof text === 'string';
  return isEvent && seconds >= 0 ? { seconds, code, text } : undefined;
}

/** What an `x` event says. */
export const parseOurs = ({ code, text }: CastEvent): Readonly<Record<string, unknown>> | undefined =>
  code === 'x' ? object(parseJson(text)) : undefined;
