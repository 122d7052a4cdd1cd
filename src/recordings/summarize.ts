/** What a list says of a recording: from its first line, and from the end of its last. */
import type { FileHandle } from 'node:fs/promises';
import { parseEvent, parseHeader, parseOurs } from './asciicast.ts';
import type { RecordingFile, RecordingFolder } from './recording-folder.ts';
import type { RecordingSummary } from './recordings.ts';

/** A command is long at most; an end is not. */
const headBytes = 128 * 1024;
const tailBytes = 8 * 1024;

/** Undefined for what is no recording, and for one that went away meanwhile. */
export async function summarize(
  folder: RecordingFolder,
  file: RecordingFile,
  isRunning: boolean,
): Promise<RecordingSummary | undefined> {
  const handle = await folder.open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ELOOP') return undefined;
    throw error;
  });
  if (!handle) return undefined;
  try {
    const { size } = await handle.stat();
    const [first = ''] = (await readAt(handle, 0, Math.min(size, headBytes))).split('\n', 1);
    const header = parseHeader(first);
    // The name is ours, what stands in the file need not be.
    if (header?.facts.id !== file.id) return undefined;
    const from = Math.max(0, size - tailBytes);
    const last = (await readAt(handle, from, size - from)).split('\n').map(parseEvent).findLast(Boolean);
    const end = (last && parseOurs(last)?.['end']) as RecordingSummary['end'];
    return {
      ...header.facts,
      startedAt: new Date(file.startedAtMs).toISOString(),
      required: header.mode === 'required',
      bytes: size,
      ...stateOf(isRunning, end),
      ...(last ? { durationS: last.seconds } : {}),
    };
  } finally {
    await handle.close();
  }
}

function stateOf(isRunning: boolean, end: RecordingSummary['end']): Pick<RecordingSummary, 'state' | 'end'> {
  if (isRunning) return { state: 'running' };
  return end ? { state: 'finished', end } : { state: 'unfinished' };
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead).toString('utf8');
}
