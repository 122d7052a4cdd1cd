/** Runs the operator's lines: `backup FILE`, `hostkey rotate`, and every command of the lobby, as an admin without an account. */
import { Readable, Writable } from 'node:stream';
import type { Logger } from 'pino';
import { operatorIdentity } from '../auth/operator.ts';
import type { CommandServices } from '../commands/command.ts';
import { loadCommands } from '../commands/interpreter/load-commands.ts';
import { maskSecrets } from '../commands/interpreter/mask.ts';
import { runLine } from '../commands/interpreter/run-line.ts';
import { splitWords } from '../commands/interpreter/words.ts';
import { randomId } from '../platform/ids.ts';
import { printable } from '../platform/printable.ts';
import type { ControlAnswer, ControlRequest } from './control-protocol.ts';

const here = { address: 'local', port: 0 };

/** Answers words that only the operator has; the first of them is the map's key. */
export type OperatorCommand = (args: readonly string[], body: Buffer) => Promise<ControlAnswer>;

/** What the control door asks for each request. Never rejects. */
export async function createOperatorLines(
  services: CommandServices,
  log: Logger,
  operatorCommands: ReadonlyMap<string, OperatorCommand>,
) {
  const commands = await loadCommands();
  return async ({ line, stdin }: ControlRequest, body: Buffer): Promise<ControlAnswer> => {
    const response = await answer(line, stdin, body);
    services.audit.operatorActed({
      what: printable(maskSecrets(line)).slice(0, 1_000),
      outcome: response.exitStatus === 0 ? 'done' : 'failed',
    });
    return response;
  };

  async function answer(line: string, stdin: string, body: Buffer): Promise<ControlAnswer> {
    const [first = '', ...args] = wordsOf(line);
    const operatorCommand = operatorCommands.get(first);
    if (operatorCommand) return operatorCommand(args, body);
    const tooLong = new AbortController();
    const stdout = createCollector(maxAnswerBytes, () => tooLong.abort());
    const stderr = createCollector(maxComplaintBytes, () => tooLong.abort());
    const end = await runLine(line, {
      services,
      commands,
      log,
      stdinIsTaken: false,
      session: {
        connectionId: 'control',
        sessionId: randomId(),
        identity: operatorIdentity(),
        loginName: 'operator',
        source: here,
        local: here,
      },
      request: { start: { kind: 'exec', command: line }, env: new Map() },
      io: {
        stdin: Readable.from([Buffer.from(stdin)]),
        stdout: stdout.stream,
        stderr: stderr.stream,
        onWindowChange: () => {},
        onSignal: () => {},
        closed: tooLong.signal,
      },
    });
    if (tooLong.signal.aborted) return { stdout: '', stderr: tooLongSentence, exitStatus: 1 };
    return {
      stdout: stdout.text(),
      stderr: stderr.text(),
      exitStatus: 'exitStatus' in end ? end.exitStatus : 255,
    };
  }
}

const maxAnswerBytes = 16 * 1024 * 1024;
const maxComplaintBytes = 1024 * 1024;
const tooLongSentence = `postern: the answer is longer than ${maxAnswerBytes} bytes; ask for less of it, or over SSH.\n`;

function createCollector(maxBytes: number, onTooMuch: () => void) {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) onTooMuch();
      else chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

/** A line that cannot be read is the interpreter's to complain about. */
function wordsOf(line: string): string[] {
  try {
    return splitWords(line);
  } catch {
    return [];
  }
}
