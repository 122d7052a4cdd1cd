import { StringDecoder } from 'node:string_decoder';
import type { CastEvent } from '../../recordings/asciicast.ts';
import { type PlayerTerminal, playerKeys, playRecording } from '../../recordings/play-recording.ts';
import { readEvents } from '../../recordings/read-events.ts';
import { createTerminalFilter } from '../../recordings/terminal-filter.ts';
import type { SessionIo, WindowSize } from '../../sessions/session.ts';
import type { Command, CommandContext } from '../command.ts';
import { writeAll } from '../interpreter/write-text.ts';
import { readOnce } from '../read-once.ts';
import { oneWord, optionText } from '../text-parts.ts';
import { getRecording } from './recording-data.ts';

export const command: Command = {
  path: ['recording', 'play'],
  summary: `play a recording on your terminal: ${playerKeys}`,
  description:
    'Without a terminal its text is printed. What would make your terminal answer, or set its title or clipboard, is left out.',
  examples: ['ssh -t GATEWAY recording play ID', 'ssh -t GATEWAY recording play ID --speed=4 --idle-limit=2'],
  positionals: [{ name: 'ID', required: true }],
  options: {
    speed: { type: 'string', placeholder: 'N', describe: 'so many times as fast, 0.1 to 64' },
    'idle-limit': { type: 'string', placeholder: 'S', describe: 'no pause is longer than so many seconds' },
  },
  permission: 'unrestricted',
  long: true,
  recheck: ({ positionals }, context) => getRecording(oneWord(positionals['ID']) ?? '', context),
  async run({ positionals, options }, context) {
    const { recordings, audit, principal, io, request } = context;
    const speed = parseNumber('speed', optionText(options['speed']), context) ?? 1;
    if (speed < 0.1 || speed > 64) throw context.usage('--speed is a number from 0.1 to 64');
    const idleLimitS = parseNumber('idle-limit', optionText(options['idle-limit']), context);
    const summary = await getRecording(oneWord(positionals['ID']) ?? '', context);
    const { id, target, account, terminal } = summary;
    audit.recordingUsed(principal.identity, { recordingId: id, target, of: account, how: 'played' });
    const events = eventsOf(await recordings.read(id));
    if (!request.pty) await printText(events, io);
    else {
      const recordedSize = terminal ?? { columns: 0, rows: 0 };
      const viewer = terminalOf(io, request.pty.size);
      await playRecording(events, viewer.terminal, { speed, idleLimitS, recordedSize }).finally(viewer.leave);
    }
    return { end: { exitStatus: 0 } };
  },
};

function parseNumber(name: string, text: string | undefined, context: CommandContext): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text)) throw context.usage(`--${name} is a number`);
  return Number(text);
}

async function* eventsOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<CastEvent> {
  for await (const read of readEvents(chunks)) if ('event' in read) yield read.event;
}

/** What was on the terminal as plain lines. */
async function printText(events: AsyncIterable<CastEvent>, io: SessionIo): Promise<void> {
  const filter = createTerminalFilter('text');
  for await (const { code, text } of events) {
    if (io.closed.aborted) return;
    const shown = code === 'o' ? filter(text) : '';
    if (shown !== '') await writeAll(io.stdout, shown, io.closed);
  }
}

function terminalOf(io: SessionIo, size: WindowSize): { terminal: PlayerTerminal; leave: () => void } {
  const left = new AbortController();
  const closed = AbortSignal.any([io.closed, left.signal]);
  return {
    terminal: {
      closed: io.closed,
      size,
      write: (text) => (text === '' ? Promise.resolve() : writeAll(io.stdout, text, io.closed)),
      onKey(listener) {
        void readKeys(io, closed, listener);
        return () => left.abort();
      },
    },
    leave: () => left.abort(),
  };
}

async function readKeys(io: SessionIo, closed: AbortSignal, onKey: (key: string) => void): Promise<void> {
  const decoder = new StringDecoder('utf8');
  for (;;) {
    const bytes = await readOnce(io.stdin, closed);
    if (!bytes) return;
    for (const key of decoder.write(bytes)) onKey(key);
  }
}
