/**
 * Follows SFTP (draft-ietf-secsh-filexfer-02, which every client speaks) as it passes: requests are remembered until they
 * are answered, files until they are closed. Peers send what they like, so all that is remembered is bounded.
 */
import type { FileLog, FileLogListener, FileOperation } from './file-operation.ts';
import { createFieldReader, createPacketPrefixes, type FieldReader } from './packet-prefixes.ts';

const maxPending = 4_096;
const maxHandles = 1_024;

/** An answer is waited for. */
type Pending =
  | { readonly kind: 'operation'; readonly operation: Omit<FileOperation, 'outcome'> }
  | { readonly kind: 'open'; readonly path: string; readonly writes: boolean }
  | { readonly kind: 'list'; readonly path: string }
  | { readonly kind: 'read'; readonly handle: string }
  | { readonly kind: 'close'; readonly handle: string };

interface OpenFile {
  readonly path: string;
  readonly writes: boolean;
  readonly isFolder: boolean;
  read: number;
  written: number;
}

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

/** Of SSH_FXP_OPEN: WRITE, APPEND, CREAT, TRUNC. */
const writeFlags = 0x02 | 0x04 | 0x08 | 0x10;

export function createSftpLog({ onOperation, onLost }: FileLogListener): FileLog {
  const pending = new Map<number, Pending>();
  const handles = new Map<string, OpenFile>();
  let isLost = false;

  const remember = (id: number, request: Pending) => {
    // Answered by nobody, or the peer asks more than anybody answers: the oldest are forgotten.
    if (pending.size >= maxPending) pending.delete(pending.keys().next().value as number);
    pending.set(id, request);
  };

  const told = ({ path, writes, isFolder, read, written }: OpenFile, outcome: string): FileOperation => {
    if (isFolder) return { op: 'list', path, outcome };
    const op = written > 0 || (writes && read === 0) ? 'upload' : 'download';
    return { op, path, bytes: op === 'upload' ? written : read, outcome };
  };

  const opened = (handle: string, file: OpenFile) => {
    if (handles.size >= maxHandles && !handles.has(handle)) {
      onOperation({ op: 'open', path: file.path, detail: 'not followed: too many are open', outcome: 'ok' });
    } else handles.set(handle, file);
  };

  const close = (handle: string, outcome: string) => {
    const file = handles.get(handle);
    if (!file) return;
    handles.delete(handle);
    onOperation(told(file, outcome));
  };

  const onRequest = (prefix: Buffer) => {
    const fields = createFieldReader(prefix);
    const read = requests[fields.uint8()];
    const request = read?.(fields, fields.uint32(), handles);
    if (request) remember(...request);
  };

  const onAnswer = (prefix: Buffer) => {
    const fields = createFieldReader(prefix);
    const type = fields.uint8();
    if (type !== answers.status && type !== answers.handle && type !== answers.data) return;
    const id = fields.uint32();
    const request = pending.get(id);
    if (!request) return;
    pending.delete(id);
    const status = type === answers.status ? (statusTexts[fields.uint32()] ?? 'failed') : 'ok';
    answered(request, status, type, fields);
  };

  const answered = (request: Pending, outcome: string, type: number, fields: FieldReader) => {
    if (request.kind === 'operation') return onOperation({ ...request.operation, outcome });
    if (request.kind === 'close') return close(request.handle, outcome);
    if (request.kind === 'read') {
      const file = handles.get(request.handle);
      if (file && type === answers.data) file.read += fields.uint32();
      return;
    }
    const isFolder = request.kind === 'list';
    const writes = request.kind === 'open' && request.writes;
    const file = { path: request.path, writes, isFolder, read: 0, written: 0 };
    if (type === answers.handle) opened(fields.bytes().toString('hex'), file);
    else onOperation(told(file, outcome));
  };

  const follow = (onPacket: (prefix: Buffer) => void) => {
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
      for (const handle of [...handles.keys()]) close(handle, 'not closed');
    },
  };
}

const answers = { status: 101, handle: 102, data: 103 } as const;

type ReadRequest = (
  fields: FieldReader,
  id: number,
  handles: ReadonlyMap<string, OpenFile>,
) => [number, Pending] | undefined;

const operation = (id: number, of: Omit<FileOperation, 'outcome'>): [number, Pending] => [
  id,
  { kind: 'operation', operation: of },
];

const onePath =
  (op: FileOperation['op']): ReadRequest =>
  (fields, id) =>
    operation(id, { op, path: fields.text() });

const twoPaths =
  (op: FileOperation['op']): ReadRequest =>
  (fields, id) =>
    operation(id, { op, path: fields.text(), to: fields.text() });

/** By type of packet; what is not here changes nothing and shows no contents. */
const requests: Readonly<Record<number, ReadRequest>> = {
  3: (fields, id) => [
    id,
    { kind: 'open', path: fields.text(), writes: (fields.uint32() & writeFlags) !== 0 },
  ],
  4: (fields, id) => [id, { kind: 'close', handle: fields.bytes().toString('hex') }],
  5: (fields, id) => [id, { kind: 'read', handle: fields.bytes().toString('hex') }],
  6: (fields, _id, handles) => {
    const file = handles.get(fields.bytes().toString('hex'));
    fields.uint64();
    if (file) file.written += fields.uint32();
    return undefined;
  },
  9: (fields, id) => operation(id, { op: 'attributes', path: fields.text(), detail: attributesOf(fields) }),
  10: (fields, id, handles) => {
    const path = handles.get(fields.bytes().toString('hex'))?.path ?? '';
    return operation(id, { op: 'attributes', path, detail: attributesOf(fields) });
  },
  11: (fields, id) => [id, { kind: 'list', path: fields.text() }],
  13: onePath('remove'),
  14: onePath('mkdir'),
  15: onePath('rmdir'),
  18: twoPaths('rename'),
  // OpenSSH's order, which everybody follows: where it points, then the link.
  20: (fields, id) => {
    const to = fields.text();
    return operation(id, { op: 'symlink', path: fields.text(), to });
  },
  200: (fields, id, handles) => extensions[fields.text()]?.(fields, id, handles),
};

/** OpenSSH's PROTOCOL 4. */
const extensions: Readonly<Record<string, ReadRequest>> = Object.assign(Object.create(null), {
  'posix-rename@openssh.com': twoPaths('rename'),
  'hardlink@openssh.com': twoPaths('hardlink'),
  'lsetstat@openssh.com': requests[9],
});

/** SSH_FILEXFER_ATTR_SIZE, UIDGID, PERMISSIONS, ACMODTIME. */
function attributesOf(fields: FieldReader): string {
  const flags = fields.uint32();
  const told: string[] = [];
  if (flags & 1) told.push(`size ${fields.uint64()}`);
  if (flags & 2) told.push(`owner ${fields.uint32()}:${fields.uint32()}`);
  if (flags & 4) told.push(`mode ${(fields.uint32() & 0o7777).toString(8).padStart(4, '0')}`);
  if (flags & 8) told.push('times');
  return told.join(', ');
}
