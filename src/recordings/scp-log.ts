/**
 * Follows what `scp -O` sends: lines that announce files, folders and times, and the bytes of the files between them. What the
 * other side refuses is not sent, so what comes next is known when it has answered.
 */
import type { FileLog, FileLogListener } from './file-operation.ts';

/** The program at the target's side: `-t` takes files, `-f` sends them. */
export interface ScpProgram {
  readonly direction: 'upload' | 'download';
  readonly path: string;
}

const commandLine = /^(?:\/usr\/bin\/|\/bin\/)?scp((?:[ \t]+-[rpdvqtf]+)+)(?:[ \t]+--)?(?:[ \t]+([\s\S]+))?$/;
/** What would run another program, or end the command. */
const otherThanWords = /[;&|<>()`\n\r]|\$\(/;

/** Undefined for whatever scp's clients do not send. */
export function parseScpProgram(command: string): ScpProgram | undefined {
  const [, options = '', path = ''] = commandLine.exec(command) ?? [];
  const isSink = options.includes('t');
  if (options === '' || isSink === options.includes('f') || otherThanWords.test(path)) return undefined;
  return { direction: isSink ? 'upload' : 'download', path };
}

const maxLineBytes = 8 * 1024;
/** Of folders within each other; a file system has less. */
const maxPathLength = 8 * 1024;
/** Senders wait for an answer before they go on. */
const maxHeldBytes = 64 * 1024;

export function createScpLog({ direction, path }: ScpProgram, listener: FileLogListener): FileLog {
  const records = createRecordReader(direction, path, listener);
  const answers = createAnswerReader(records.answered);
  return direction === 'upload'
    ? { fromClient: records.feed, fromServer: answers, end: records.end }
    : { fromClient: answers, fromServer: records.feed, end: records.end };
}

/** A file or folder that was announced. */
interface Announced {
  readonly isFolder: boolean;
  readonly name: string;
  readonly mode: string;
  readonly size: number;
  left: number;
}

type ScpRecord =
  | { readonly kind: 'times' | 'end' }
  | { readonly kind: 'complaint'; readonly text: string }
  | { readonly kind: 'announced'; readonly announced: Announced };

/** As lenient as OpenSSH's scp; undefined for what it takes for no record either. */
function parseRecord(line: string): ScpRecord | undefined {
  if (/^T\d+ \d+ \d+ \d+$/.test(line)) return { kind: 'times' };
  if (line.startsWith('E')) return { kind: 'end' };
  if (/^[\x01\x02]/.test(line)) return { kind: 'complaint', text: line.slice(1) };
  const [, letter, mode = '', size, name = ''] = /^([CD])([0-7]{4}) (\d+) ([\s\S]*)$/.exec(line) ?? [];
  if (letter === undefined) return undefined;
  const announced = { isFolder: letter === 'D', name, mode, size: Number(size), left: Number(size) };
  return { kind: 'announced', announced };
}

/** Where in the stream the reader stands. */
type State = 'record' | 'contents' | 'status';

function createRecordReader(
  op: ScpProgram['direction'],
  path: string,
  { onOperation, onLost }: FileLogListener,
) {
  const folders: string[] = [];
  const lines = createLineReader();
  let state: State = 'record';
  let announced: Announced | undefined;
  /** Announced, and not answered yet. */
  let isAsked = false;
  /** The other side answers each record; it begins with an answer to none. */
  let unanswered = 1;
  let held = Buffer.alloc(0);
  let isLost = false;

  const nameIn = (name: string) => [path, ...folders, name].filter((part) => part !== '').join('/');

  const tell = ({ isFolder, name, mode, size, left }: Announced, outcome: string) =>
    onOperation(
      isFolder
        ? { op: 'mkdir', path: nameIn(name), detail: `mode ${mode}`, outcome }
        : { op, path: nameIn(name), bytes: size - left, outcome },
    );

  const readRecord = (line: string): boolean => {
    const record = parseRecord(line);
    if (!record) return false;
    if (record.kind === 'complaint') onOperation({ op: 'message', path: '', outcome: record.text });
    else unanswered++;
    if (record.kind === 'end') return folders.pop() !== undefined;
    if (record.kind !== 'announced') return true;
    ({ announced } = record);
    isAsked = true;
    return nameIn(announced.name).length <= maxPathLength + path.length;
  };

  const accept = (now: Announced) => {
    if (now.isFolder) {
      tell(now, 'ok');
      folders.push(now.name);
    } else state = now.left === 0 ? told(now) : 'contents';
  };
  const told = (now: Announced): State => {
    tell(now, 'ok');
    announced = undefined;
    return 'status';
  };

  /** What is left of the chunk; undefined when it makes no sense. */
  const steps: Readonly<Record<State, (chunk: Buffer) => Buffer | undefined>> = {
    record(chunk) {
      const read = lines(chunk);
      if (read?.line === undefined) return read?.rest;
      return readRecord(read.line) ? read.rest : undefined;
    },
    contents(chunk) {
      if (!announced) return undefined;
      const taken = Math.min(announced.left, chunk.length);
      announced.left -= taken;
      if (announced.left === 0) state = told(announced);
      return chunk.subarray(taken);
    },
    /** The sender's own word on a file's contents: a zero byte, or a complaint. */
    status(chunk) {
      if (chunk[0] === 0) {
        unanswered++;
        state = 'record';
        return chunk.subarray(1);
      }
      const read = lines(chunk);
      if (read?.line === undefined) return read?.rest;
      unanswered++;
      state = 'record';
      onOperation({ op: 'message', path: '', outcome: read.line.replace(/^[\x01\x02]/, '') });
      return read.rest;
    },
  };

  const lose = () => {
    isLost = true;
    held = Buffer.alloc(0);
    if (announced) tell(announced, 'not followed any further');
    announced = undefined;
    onLost();
  };

  const feed = (bytes: Buffer) => {
    let rest: Buffer | undefined = bytes;
    while (rest && rest.length > 0 && !isLost && !isAsked) rest = steps[state](rest);
    if (isLost) return;
    if (rest && rest.length > 0) held = Buffer.concat([held, rest]);
    if (!rest || held.length > maxHeldBytes) lose();
  };

  return {
    feed,
    /** `complaint`: it was refused. */
    answered(complaint: string | undefined) {
      unanswered = Math.max(0, unanswered - 1);
      const now = announced;
      if (!isAsked || !now || unanswered > 0) {
        if (complaint !== undefined) onOperation({ op: 'message', path: '', outcome: complaint });
        return;
      }
      isAsked = false;
      announced = now.isFolder || complaint !== undefined ? undefined : now;
      if (complaint === undefined) accept(now);
      else tell(now, complaint);
      const next = held;
      held = Buffer.alloc(0);
      feed(next);
    },
    end() {
      if (announced) tell(announced, isAsked ? 'no answer' : 'cut short');
      announced = undefined;
    },
  };
}

/** Lines of a stream of chunks; undefined when one is longer than any is. */
function createLineReader() {
  let parts: Buffer[] = [];
  let bytes = 0;
  return (chunk: Buffer): { readonly line: string | undefined; readonly rest: Buffer } | undefined => {
    const newline = chunk.indexOf(10);
    const part = newline === -1 ? chunk : chunk.subarray(0, newline);
    bytes += part.length;
    if (bytes > maxLineBytes) return undefined;
    parts.push(Buffer.from(part));
    if (newline === -1) return { line: undefined, rest: Buffer.alloc(0) };
    const line = Buffer.concat(parts).toString('utf8');
    parts = [];
    bytes = 0;
    return { line, rest: chunk.subarray(newline + 1) };
  };
}

/** Each record is answered with a zero byte, or with 1 or 2 and a line. */
function createAnswerReader(onAnswer: (complaint: string | undefined) => void) {
  let line: string | undefined;
  return (bytes: Buffer) => {
    for (const character of bytes.toString('latin1')) {
      if (line === undefined) {
        if (character === '\0') onAnswer(undefined);
        else if (character === '\x01' || character === '\x02') line = '';
      } else if (character === '\n') {
        onAnswer(Buffer.from(line, 'latin1').toString('utf8'));
        line = undefined;
      } else if (line.length < 1_024) line += character;
    }
  };
}
