/** Follows what `scp -O` sends: lines that announce files, folders and times, and the bytes of the files between them. */
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
const maxFolders = 64;

export function createScpLog({ direction, path }: ScpProgram, listener: FileLogListener): FileLog {
  const records = createRecordReader(direction, path, listener);
  const complaints = createComplaintReader(listener);
  return direction === 'upload'
    ? { fromClient: records.feed, fromServer: complaints, end: records.end }
    : { fromClient: complaints, fromServer: records.feed, end: records.end };
}

interface File {
  readonly path: string;
  readonly size: number;
  left: number;
}

function createRecordReader(
  op: ScpProgram['direction'],
  path: string,
  { onOperation, onLost }: FileLogListener,
) {
  const folders: string[] = [];
  let line: Buffer[] = [];
  let lineBytes = 0;
  let file: File | undefined;
  let isLost = false;

  const nameIn = (name: string) => [path, ...folders, name].filter((part) => part !== '').join('/');

  const readLine = (text: string): boolean => {
    // The sender's end of a file, where it is not followed by more, and its complaints.
    const record = text.replace(/^\0+/, '');
    if (record === '' || /^T\d{1,12} \d{1,9} \d{1,12} \d{1,9}$/.test(record)) return true;
    if (record === 'E') return folders.pop() !== undefined;
    if (/^[\x01\x02]/.test(record)) {
      onOperation({ op: 'message', path: '', outcome: record.slice(1) });
      return true;
    }
    const [, letter, mode, size, name = ''] = /^([CD])([0-7]{4}) (\d{1,15}) ([\s\S]*)$/.exec(record) ?? [];
    if (letter === 'C') {
      file = { path: nameIn(name), size: Number(size), left: Number(size) };
      if (file.left === 0) finish('ok');
    } else if (letter === 'D' && folders.length < maxFolders) {
      onOperation({ op: 'mkdir', path: nameIn(name), detail: `mode ${mode}`, outcome: 'ok' });
      folders.push(name);
    } else return false;
    return true;
  };

  const finish = (outcome: string) => {
    if (!file) return;
    onOperation({ op, path: file.path, bytes: file.size - file.left, outcome });
    file = undefined;
  };

  /** Returns what is left of the chunk; undefined when it makes no sense. */
  const step = (chunk: Buffer): Buffer | undefined => {
    if (file) {
      const taken = Math.min(file.left, chunk.length);
      file.left -= taken;
      if (file.left === 0) finish('ok');
      return chunk.subarray(taken);
    }
    const newline = chunk.indexOf(10);
    const part = newline === -1 ? chunk : chunk.subarray(0, newline);
    lineBytes += part.length;
    if (lineBytes > maxLineBytes) return undefined;
    line.push(Buffer.from(part));
    if (newline === -1) return Buffer.alloc(0);
    const text = Buffer.concat(line).toString('utf8');
    line = [];
    lineBytes = 0;
    return readLine(text) ? chunk.subarray(newline + 1) : undefined;
  };

  return {
    feed(bytes: Buffer) {
      for (let rest: Buffer | undefined = bytes; rest && rest.length > 0 && !isLost; ) {
        rest = step(rest);
        if (rest) continue;
        isLost = true;
        onLost();
      }
    },
    end: () => finish('cut short'),
  };
}

/** The receiver answers each record with a zero byte, or with 1 or 2 and a line. */
function createComplaintReader({ onOperation }: FileLogListener) {
  let line: string | undefined;
  return (bytes: Buffer) => {
    for (const character of bytes.toString('latin1')) {
      if (line === undefined) {
        if (character === '\x01' || character === '\x02') line = '';
      } else if (character === '\n') {
        onOperation({ op: 'message', path: '', outcome: Buffer.from(line, 'latin1').toString('utf8') });
        line = undefined;
      } else if (line.length < 1_024) line += character;
    }
  };
}
