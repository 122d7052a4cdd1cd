/**
 * Follows SFTP as it passes: requests are remembered until they are answered, files until they are closed. Peers send what
 * they like, so all that is remembered is bounded; what is forgotten, or answered by nobody, is told without its outcome.
 */
import type { FileLog, FileLogListener } from './file-operation.ts';
import { createFieldReader, createPacketPrefixes, type FieldReader } from './packet-prefixes.ts';
import { createRemembered } from './remembered.ts';
import { createSftpFiles, type Opening, type SftpFiles } from './sftp-files.ts';
import { parseSftpRequest, type SftpRequest } from './sftp-requests.ts';

const bounds = { entries: 4_096, names: 1024 * 1024 };

const statusTexts = [
  'ok',
  'end of file',
  'no such file',
  'permission denied',
  'failed',
  'bad message',
  'no connection',
  'connection lost',
  'not supported',
];

/** What came back, or did not. */
interface Answer {
  readonly outcome: string;
  /** In hex. */
  readonly handle?: string;
  readonly dataBytes?: number;
}

const noAnswer: Answer = { outcome: 'no answer' };

export function createSftpLog({ onOperation, onLost }: FileLogListener): FileLog {
  const pending = createRemembered<number, SftpRequest>({
    ...bounds,
    lengthOf: (request) => JSON.stringify(request).length,
  });
  const files = createSftpFiles(onOperation);
  const settle = createSettle(files, onOperation);
  let isLost = false;

  const giveUp = (id: number) => {
    const request = pending.take(id);
    if (request) settle(request, noAnswer);
  };

  const onRequest = (packet: Buffer) => {
    const asked = parseSftpRequest(createFieldReader(packet));
    if (!asked) return;
    // Its id is used twice, or more is asked than anybody answers.
    giveUp(asked.id);
    for (let id = pending.oldest(); id !== undefined && pending.isFull(); id = pending.oldest()) giveUp(id);
    pending.set(asked.id, asked.request);
  };

  const onAnswer = (packet: Buffer) => {
    const read = parseAnswer(packet);
    const request = read && pending.take(read.id);
    if (request) settle(request, read.answer);
  };

  const follow = (onPacket: (packet: Buffer) => void) => {
    const feed = createPacketPrefixes((prefix) => {
      try {
        onPacket(prefix);
      } catch (error) {
        // A message with a field that is cut off means nothing to the server either.
        if (!(error instanceof RangeError)) throw error;
      }
    });
    return (bytes: Buffer) => {
      if (isLost) return;
      try {
        feed(bytes);
      } catch {
        isLost = true;
        onLost();
      }
    };
  };

  return {
    fromClient: follow(onRequest),
    fromServer: follow(onAnswer),
    end() {
      for (let id = pending.oldest(); id !== undefined; id = pending.oldest()) giveUp(id);
      files.end();
    },
  };
}

/** Undefined for what answers nothing that is followed. Throws RangeError where a field is cut off. */
function parseAnswer(packet: Buffer): { readonly id: number; readonly answer: Answer } | undefined {
  const fields = createFieldReader(packet);
  const read = answers[fields.uint8()];
  return read && { id: fields.uint32(), answer: read(fields) };
}

/** SSH_FXP_STATUS, HANDLE, DATA. */
const answers: Readonly<Record<number, (fields: FieldReader) => Answer>> = {
  101: (fields) => ({ outcome: statusTexts[fields.uint32()] ?? 'failed' }),
  102: (fields) => ({ outcome: 'ok', handle: fields.bytes().toString('hex') }),
  103: (fields) => ({ outcome: 'ok', dataBytes: fields.uint32() }),
};

type Settlers = {
  readonly [Kind in SftpRequest['kind']]: (
    request: Extract<SftpRequest, { kind: Kind }>,
    answer: Answer,
  ) => void;
};

function createSettle(files: SftpFiles, onOperation: FileLogListener['onOperation']) {
  const opened = (opening: Opening, { handle, outcome }: Answer) =>
    handle === undefined ? files.notOpened(opening, outcome) : files.opened(handle, opening);
  const settlers: Settlers = {
    open: opened,
    list: opened,
    read: ({ handle }, { dataBytes = 0 }) => files.read(handle, dataBytes),
    // What nobody answered may have been written.
    write({ handle, bytes }, { outcome }) {
      if (outcome === 'ok' || outcome === noAnswer.outcome) files.wrote(handle, bytes);
    },
    close: ({ handle }, { outcome }) => files.closed(handle, outcome),
    attributes: ({ handle, detail }, { outcome }) =>
      onOperation({ op: 'attributes', path: files.pathOf(handle), detail, outcome }),
    copy: ({ handle, to }, { outcome }) =>
      onOperation({ op: 'copy', path: files.pathOf(handle), to: files.pathOf(to), outcome }),
    operation: ({ operation }, { outcome }) => onOperation({ ...operation, outcome }),
  };
  return (request: SftpRequest, answer: Answer) =>
    (settlers[request.kind] as (request: SftpRequest, answer: Answer) => void)(request, answer);
}
