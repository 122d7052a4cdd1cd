/** Commands from stdin, one a line: a shell without a terminal. */
import { Readable } from 'node:stream';
import { GatewayError } from '../errors.ts';
import type { SessionEnd, SessionIo } from '../sessions/session.ts';
import { createPrivateKeyGuard } from './interpreter/private-key-guard.ts';
import { type LineRun, runLine } from './interpreter/run-line.ts';
import { maxLineBytes } from './interpreter/words.ts';
import { createOutput } from './interpreter/write-text.ts';
import { readOnce } from './read-once.ts';

/** Runs each line; the last one's end is the script's. `exit` and a peer that leaves end it early. */
export async function runScript(run: Omit<LineRun, 'stdinIsTaken'>): Promise<SessionEnd> {
  const guard = createPrivateKeyGuard();
  const output = createOutput(run.io, run.request);
  let end: SessionEnd = { exitStatus: 0 };
  let left = false;
  const leave = () => {
    left = true;
  };
  const refuse = async (error: GatewayError): Promise<SessionEnd> => {
    await output.complain(error.message);
    return { exitStatus: error.exitStatus };
  };
  for await (const line of boundedLines(run.io)) {
    if (run.io.closed.aborted) break;
    const verdict = guard.check(line ?? '');
    if (verdict === 'inside') continue;
    if (verdict === 'begins') end = await refuse(new GatewayError('private-key', {}));
    else if (line === undefined)
      end = await refuse(new GatewayError('usage', { problem: 'a line is longer than 64 KiB.' }));
    else if (line.trim() !== '') {
      // The script itself is on stdin: what a command reads is empty.
      const io = { ...run.io, stdin: Readable.from([]) };
      end = await runLine(line, { ...run, io, stdinIsTaken: true, leave });
    }
    if (left) break;
    // Lines that need no waiting would otherwise run without a break, and everybody else would wait.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return end;
}

/** Lines without their ends; undefined stands for one that was too long, of which no more than a part was kept. */
async function* boundedLines({ stdin, closed }: SessionIo): AsyncGenerator<string | undefined> {
  let kept: Buffer = Buffer.alloc(0);
  let tooLong = false;
  for (;;) {
    const chunk = await readOnce(stdin, closed);
    if (chunk === undefined) break;
    let bytes: Buffer = Buffer.concat([kept, chunk]);
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10)) {
      yield tooLong || end > maxLineBytes ? undefined : asLine(bytes.subarray(0, end));
      tooLong = false;
      bytes = bytes.subarray(end + 1);
    }
    tooLong ||= bytes.length > maxLineBytes;
    kept = tooLong ? Buffer.alloc(0) : bytes;
  }
  if (tooLong) yield undefined;
  else if (kept.length > 0) yield asLine(kept);
}

const asLine = (bytes: Buffer) => bytes.toString('utf8').replace(/\r$/, '');
