/** What each request of SFTP version 3 does: a map from its type to the answer without its id. */
import { attributesField, longName, readAttributes } from './attributes.ts';
import { extensionHandlers } from './extensions.ts';
import { FileFailure, type FileOperations, type OpenMode } from './file-operations.ts';
import { closeHandle, type FileHandle, type FolderHandle, type Handles } from './handles.ts';
import { type Field, type FieldReader, stringField, messageTypes as types, uint32 } from './messages.ts';

export interface RequestParts {
  readonly files: FileOperations;
  readonly handles: Handles;
  /** Absolute, from what the client named. */
  readonly pathOf: (path: string) => Promise<string>;
}

export interface Answer {
  readonly type: number;
  readonly fields: readonly Field[];
}

export type RequestHandler = (reader: FieldReader, parts: RequestParts) => Promise<Answer>;

export const statusCodes = {
  ok: 0,
  eof: 1,
  'no-such-file': 2,
  'permission-denied': 3,
  failure: 4,
  'bad-message': 5,
  unsupported: 8,
} as const;

export function statusAnswer(status: keyof typeof statusCodes, message: string): Answer {
  const fields = [uint32(statusCodes[status]), stringField(Buffer.from(message)), stringField('en')];
  return { type: types.status, fields };
}

const ok = statusAnswer('ok', 'Success');
const endOfFile = statusAnswer('eof', 'End of file');

/** An answer has room for the rest of its message. */
export const maxReadBytes = 255 * 1024;
const maxNamesBytes = 96 * 1024;

const openFlags = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 } as const;

function openModeOf(flags: number, permissions: number | undefined): OpenMode {
  const has = (name: keyof typeof openFlags) => (flags & openFlags[name]) !== 0;
  return {
    read: has('read'),
    write: has('write'),
    append: has('append'),
    create: has('create'),
    truncate: has('truncate'),
    exclusive: has('exclusive'),
    permissions: permissions === undefined ? undefined : permissions & 0o7777,
  };
}

const nameAnswer = (name: string): Answer => ({
  type: types.name,
  fields: [uint32(1), stringField(name), stringField(name), uint32(0)],
});

/** For operations on one path that answer with a status. */
const onPath =
  (run: (files: FileOperations, path: string, reader: FieldReader) => Promise<unknown>): RequestHandler =>
  async (reader, { files, pathOf }) => {
    await run(files, await pathOf(reader.readPath()), reader);
    return ok;
  };

const statBy =
  (follow: boolean): RequestHandler =>
  async (reader, { files, pathOf }) => {
    const attributes = await files.stat(await pathOf(reader.readPath()), follow);
    return { type: types.attrs, fields: [attributesField(attributes)] };
  };

/** What cannot be added is closed again: nobody else ever would. */
async function handleAnswer(handles: Handles, opened: FileHandle | FolderHandle): Promise<Answer> {
  try {
    return { type: types.handle, fields: [stringField(handles.add(opened))] };
  } catch (error) {
    await closeHandle(opened);
    throw error;
  }
}

const openHandle: RequestHandler = async (reader, { files, handles, pathOf }) => {
  const path = reader.readPath();
  const flags = reader.readUInt32();
  const { mode } = readAttributes(reader);
  const file = await files.open(await pathOf(path), openModeOf(flags, mode));
  return handleAnswer(handles, { kind: 'file', file });
};

const readFolder: RequestHandler = async (reader, { handles }) => {
  const handle = handles.get(reader.readString());
  if (handle.kind !== 'folder') throw new FileFailure('failure', 'that handle is no folder');
  if (handle.entries.length === 0) handle.entries = await handle.folder.read();
  const fields: Field[] = [];
  let bytes = 0;
  let count = 0;
  for (const { name, attributes } of handle.entries) {
    if (bytes > maxNamesBytes) break;
    const entry = [stringField(name), stringField(longName(name, attributes)), attributesField(attributes)];
    bytes += entry.reduce((sum, field) => sum + field.length, 0);
    fields.push(...entry);
    count += 1;
  }
  if (count === 0) return endOfFile;
  handle.entries = handle.entries.slice(count);
  return { type: types.name, fields: [uint32(count), ...fields] };
};

/** WRITE is not among them: the server takes several at once. */
export const requestHandlers: ReadonlyMap<number, RequestHandler> = new Map<number, RequestHandler>([
  [types.open, openHandle],
  [
    types.close,
    async (reader, { handles }) => {
      await closeHandle(handles.remove(reader.readString()));
      return ok;
    },
  ],
  [
    types.read,
    async (reader, { handles }) => {
      const file = handles.getFile(reader.readString());
      const offset = reader.readUInt64();
      const length = Math.min(reader.readUInt32(), maxReadBytes);
      const data = await file.read(offset, length);
      return data.length === 0 && length > 0
        ? endOfFile
        : { type: types.data, fields: [uint32(data.length), data] };
    },
  ],
  [types.stat, statBy(true)],
  [types.lstat, statBy(false)],
  [
    types.fstat,
    async (reader, { files, handles }) => {
      const handle = handles.get(reader.readString());
      const stat = handle.kind === 'file' ? handle.file.stat() : files.stat(handle.path, true);
      return { type: types.attrs, fields: [attributesField(await stat)] };
    },
  ],
  [types.setstat, onPath((files, path, reader) => files.setAttributes(path, readAttributes(reader), true))],
  [
    types.fsetstat,
    async (reader, { files, handles }) => {
      const handle = handles.get(reader.readString());
      const attributes = readAttributes(reader);
      if (handle.kind === 'file') await handle.file.setAttributes(attributes);
      else await files.setAttributes(handle.path, attributes, true);
      return ok;
    },
  ],
  [
    types.opendir,
    async (reader, { files, handles, pathOf }) => {
      const path = await pathOf(reader.readPath());
      const folder = await files.openFolder(path);
      return handleAnswer(handles, { kind: 'folder', path, folder, entries: [] });
    },
  ],
  [types.readdir, readFolder],
  [types.remove, onPath((files, path) => files.remove(path))],
  [types.mkdir, onPath((files, path, reader) => files.makeFolder(path, readAttributes(reader).mode))],
  [types.rmdir, onPath((files, path) => files.removeFolder(path))],
  [
    types.realpath,
    async (reader, { files, pathOf }) => nameAnswer(await files.resolve(await pathOf(reader.readPath()))),
  ],
  [
    types.rename,
    async (reader, { files, pathOf }) => {
      const [from, to] = [await pathOf(reader.readPath()), await pathOf(reader.readPath())];
      await files.rename(from, to, false);
      return ok;
    },
  ],
  [
    types.readlink,
    async (reader, { files, pathOf }) => nameAnswer(await files.readLink(await pathOf(reader.readPath()))),
  ],
  [
    // OpenSSH's order, which every client follows: the target first (its PROTOCOL file, §4.1).
    types.symlink,
    async (reader, { files, pathOf }) => {
      const target = reader.readPath();
      await files.symbolicLink(target, await pathOf(reader.readPath()));
      return ok;
    },
  ],
  [
    types.extended,
    async (reader, parts) => {
      const handler = extensionHandlers.get(reader.readString().toString('latin1'));
      if (!handler) return statusAnswer('unsupported', 'Operation unsupported');
      const answer = await handler(reader, parts);
      return answer === 'done' ? ok : answer;
    },
  ],
]);
