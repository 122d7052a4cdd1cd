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

/** Tells of what is announced, by the path that it has where the program began. */
function createTeller(op: ScpProgram['direction'], path: string, { onOperation }: FileLogListener) {
  const folders: string[] = [];
  const nameIn = (name: string) => [path, ...folders, name].filter((part) => part !== '').join('/');
  return {
    /** Those within which the next name is. */
    folders,
    isTooLong: (name: string) => nameIn(name).length > maxPathLength + path.length,
    announced: ({ isFolder, name, mode, size, left }: Announced, outcome: string) =>
      onOperation(
        isFolder
          ? { op: 'mkdir', path: nameIn(name), detail: `mode ${mode}`, outcome }
          : { op, path: nameIn(name), bytes: size - left, outcome },
      ),
    message: (outcome: string) => onOperation({ op: 'message', path: '', outcome }),
  };
}

/** Where in the stream the reader stands. */
interface Place {
  readonly tell: ReturnType<typeof createTeller>;
  readonly lines: ReturnType<typeof createLineReader>;
  state: 'record' | 'contents' | 'status';
  announced: Announced | undefined;
  /** Announced, and not answered yet. */
  isAsked: boolean;
  /** The other side answers each record; it begins with an answer to none. */
  unanswered: number;
}

/** By where it stands: what is left of the chunk, or undefined when it makes no sense. */
const steps: Readonly<Record<Place['state'], (at: Place, chunk: Buffer) => Buffer | undefined>> = {
  record(at, chunk) {
    const read = at.lines(chunk);
    if (read?.line === undefined) return read?.rest;
    return readRecord(at, read.line) ? read.rest : undefined;
  },
  contents(at, chunk) {
    const { announced } = at;
    if (!announced) return undefined;
    const taken = Math.min(announced.left, chunk.length);
    announced.left -= taken;
    if (announced.left === 0) passed(at, announced);
    return chunk.subarray(taken);
  },
  /** The sender's own word on a file's contents: a zero byte, or a complaint. */
  status(at, chunk) {
    if (chunk[0] === 0) {
      at.unanswered++;
      at.state = 'record';
      return chunk.subarray(1);
    }
    const read = at.lines(chunk);
    if (read?.line === undefined) return read?.rest;
    at.unanswered++;
    at.state = 'record';
    at.tell.message(read.line.replace(/^[\x01\x02]/, ''));
    return read.rest;
  },
};

/** False where it makes no sense. */
function readRecord(at: Place, line: string): boolean {
  const record = parseRecord(line);
  if (!record) return false;
  if (record.kind === 'complaint') at.tell.message(record.text);
  else at.unanswered++;
  if (record.kind === 'end') return at.tell.folders.pop() !== undefined;
  if (record.kind !== 'announced') return true;
  at.announced = record.announced;
  at.isAsked = true;
  return !at.tell.isTooLong(record.announced.name);
}

/** All of a file's contents have come. */
function passed(at: Place, announced: Announced): void {
  at.tell.announced(announced, 'ok');
  at.announced = undefined;
  at.state = 'status';
}

/** What was announced has its answer. */
function settle(at: Place, announced: Announced, complaint: string | undefined): void {
  at.isAsked = false;
  at.announced = announced.isFolder || complaint !== undefined ? undefined : announced;
  if (complaint !== undefined) at.tell.announced(announced, complaint);
  else if (announced.isFolder) {
    at.tell.announced(announced, 'ok');
    at.tell.folders.push(announced.name);
  } else if (announced.left === 0) passed(at, announced);
  else at.state = 'contents';
}

function createRecordReader(op: ScpProgram['direction'], path: string, listener: FileLogListener) {
  const tell = createTeller(op, path, listener);
  const lines = createLineReader();
  const at: Place = { tell, lines, state: 'record', announced: undefined, isAsked: false, unanswered: 1 };
  let held = Buffer.alloc(0);
  let isLost = false;

  const leave = (outcome: string) => {
    if (at.announced) tell.announced(at.announced, outcome);
    at.announced = undefined;
  };
  const feed = (bytes: Buffer) => {
    let rest: Buffer | undefined = bytes;
    while (rest && rest.length > 0 && !isLost && !at.isAsked) rest = steps[at.state](at, rest);
    if (isLost) return;
    if (rest && rest.length > 0) held = Buffer.concat([held, rest]);
    if (rest && held.length <= maxHeldBytes) return;
    isLost = true;
    held = Buffer.alloc(0);
    leave('not followed any further');
    listener.onLost();
  };

  return {
    feed,
    /** `complaint`: it was refused. */
    answered(complaint: string | undefined) {
      at.unanswered = Math.max(0, at.unanswered - 1);
      if (!at.isAsked || !at.announced || at.unanswered > 0) {
        if (complaint !== undefined) tell.message(complaint);
        return;
      }
      settle(at, at.announced, complaint);
      const next = held;
      held = Buffer.alloc(0);
      feed(next);
    },
    end: () => leave(at.isAsked ? 'no answer' : 'cut short'),
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
