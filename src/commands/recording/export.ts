import type { Command } from '../command.ts';
import { writeAll } from '../interpreter/write-text.ts';
import { oneWord } from '../text-parts.ts';
import { getRecording } from './recording-data.ts';

export const command: Command = {
  path: ['recording', 'export'],
  summary: 'the recording itself, as asciicast v2, on stdout',
  description:
    'Nothing is filtered there: control sequences of the recorded program are in it, escaped as JSON, and whatever plays\n' +
    'the file hands them to your terminal.',
  examples: ['ssh GATEWAY recording export ID > x.cast; asciinema play x.cast'],
  positionals: [{ name: 'ID', required: true }],
  options: {},
  permission: 'unrestricted',
  long: true,
  recheck: ({ positionals }, context) => getRecording(oneWord(positionals['ID']) ?? '', context),
  async run({ positionals }, context) {
    const { recordings, audit, principal, io } = context;
    const { id, target, account } = await getRecording(oneWord(positionals['ID']) ?? '', context);
    audit.recordingUsed(principal.identity, { recordingId: id, target, of: account, how: 'exported' });
    // Whole lines: what is being written may end in the middle of one.
    for await (const lines of wholeLines(await recordings.read(id))) {
      await writeAll(io.stdout, lines, io.closed);
      if (io.closed.aborted) break;
    }
    return { end: { exitStatus: 0 } };
  },
};

const newline = 10;

async function* wholeLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(newline) + 1;
    if (end > 0) {
      yield Buffer.concat([...held, chunk.subarray(0, end)]);
      held = [];
    }
    if (end < chunk.length) held.push(chunk.subarray(end));
  }
}
