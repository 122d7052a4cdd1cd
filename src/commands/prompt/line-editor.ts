/**
 * node:readline over a session's streams. What is typed is fed to it piece by piece, so that a line's
 * program runs before the line after it is read, and so that no paste can keep the process busy.
 */
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { setImmediate as nextTick } from 'node:timers/promises';
import { hasControlCharacters, printable } from '../../platform/printable.ts';
import { holdsSecret } from '../interpreter/mask.ts';
import { maxLineBytes } from '../interpreter/words.ts';
import type { InputGate } from './input-gate.ts';
import type { TerminalOutput } from './terminal-output.ts';

export interface LineEditor {
  /** Shows the prompt and resolves to the line, or to undefined when the person leaves. */
  readLine(): Promise<string | undefined>;
  close(): void;
}

/** Completions of the last word of a line, and that word as typed. */
export type Completer = (line: string) => Promise<[hits: string[], typed: string]>;

export interface LineEditorOptions {
  readonly gate: InputGate;
  readonly output: TerminalOutput;
  readonly prompt: string;
  readonly complete: Completer;
  readonly closed: AbortSignal;
  /** Unset: Ctrl-C drops the line that is being typed. */
  readonly leaves?: 'on Ctrl-C';
}

const historySize = 200;

export function createLineEditor(options: LineEditorOptions): LineEditor {
  const { gate } = options;
  const { editor, feed, typed, isClosed } = openReadline(options);
  const decoder = new StringDecoder('utf8');
  let afterReturn = false;

  /** Feeds pieces until they make a line; what stands behind it goes back for whoever reads next. */
  async function feedLine(pieces: readonly string[]): Promise<string | undefined> {
    for (let index = 0; index < pieces.length && !isClosed(); index++) {
      const piece = pieces[index] as string;
      // CR LF is one line's end.
      if (!(afterReturn && piece === '\n')) await feed(piece);
      afterReturn = piece === '\r';
      const line = typed.shift();
      if (line === undefined) continue;
      const next = afterReturn && pieces[index + 1] === '\n' ? index + 2 : index + 1;
      gate.putBack(Buffer.from(pieces.slice(next).join('')));
      return line;
    }
    return undefined;
  }

  return {
    close: () => editor.close(),
    async readLine() {
      if (!isClosed()) editor.prompt();
      while (!isClosed()) {
        const bytes = await gate.take();
        if (bytes === undefined) return undefined;
        const line = await feedLine(piecesOf(decoder.write(bytes)));
        if (line !== undefined) return line;
      }
      return undefined;
    },
  };
}

/** A readline that is fed by hand: `feed` resolves when a piece has had all its effects. */
function openReadline({ output, prompt, complete, closed, leaves }: LineEditorOptions) {
  const input = new Readable({ read: () => undefined });
  const typed: string[] = [];
  let completing: Promise<void> = Promise.resolve();
  let isClosed = false;
  const editor = createInterface({
    input,
    output,
    prompt,
    terminal: true,
    historySize,
    removeHistoryDuplicates: true,
    completer: (line: string, answer: (error: null, result: [string[], string]) => void) => {
      completing = complete(line).then(
        (result) => answer(null, result),
        () => answer(null, [[], line]),
      );
    },
  });
  editor.on('line', (line) => typed.push(line));
  editor.on('close', () => {
    isClosed = true;
  });
  forgetSecrets(editor);
  editor.on('SIGINT', () => (leaves ? editor.close() : dropLine(editor, output, '^C')));
  ignoreJobControl(editor);

  const feed = async (piece: string) => {
    feedPiece(editor, input, piece);
    await nextTick();
    await completing;
    if (output.writableNeedDrain) await once(output, 'drain', { signal: closed }).catch(() => undefined);
    if (editor.line.length > maxLineBytes) dropLine(editor, output, ' … longer than 64 KiB');
  };
  return { editor, feed, typed, isClosed: () => isClosed };
}

/** Line ends and Tab by themselves; a control character with what may belong to its sequence; plain text. */
function piecesOf(text: string): string[] {
  return text.match(/[\r\n\t]|[\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,32}|[^\x00-\x1f\x7f]+/g) ?? [];
}

const longRun = 64;

/**
 * readline inserts character by character and measures the whole line each time: a long run of plain text
 * goes in at once. Invisible controls beyond ASCII are dropped, as the terminal would act on their echo.
 */
function feedPiece(editor: Interface, input: Readable, piece: string): void {
  const isControl = /^[\x00-\x1f\x7f]/.test(piece);
  const plain = withoutInvisible(isControl ? piece.slice(1) : piece);
  if (!isControl && plain.length >= longRun) editor.write(plain);
  else input.push(isControl ? piece.slice(0, 1) + plain : plain);
}

const withoutInvisible = (text: string) =>
  hasControlCharacters(text)
    ? [...text].filter((character) => printable(character) === character).join('')
    : text;

/** Invariant: a token, an invite code or a private key is in no history. */
function forgetSecrets(editor: Interface): void {
  editor.on('history', (history: string[]) => {
    if (history[0] !== undefined && holdsSecret(history[0])) history.shift();
  });
}

function ignoreJobControl(editor: Interface): void {
  // Without a listener readline answers Ctrl-Z by stopping this very process: the gateway.
  editor.on('SIGTSTP', () => undefined);
}

function dropLine(editor: Interface, output: TerminalOutput, mark: string): void {
  output.write(mark);
  // Of the classic interface, undocumented: ends the line on the screen and forgets it.
  (editor as Interface & { clearLine(): void }).clearLine();
  editor.prompt();
}
