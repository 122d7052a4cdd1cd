/** The receiving end of scp: what the client sends becomes files and folders. OpenSSH's `sink`. */
import { FileFailure, type FileOperations, type OpenFile } from '../sftp/file-operations.ts';
import { acknowledgement, type Conversation, ScpEnd } from './conversation.ts';
import { parseRecord, type ScpRecord, type Times } from './records.ts';
import type { ScpOptions } from './scp-command.ts';

export interface ScpParts {
  readonly command: ScpOptions;
  readonly talk: Conversation;
  readonly files: FileOperations;
}

type Named = Extract<ScpRecord, { kind: 'file' | 'folder' }>;

const writeBytes = 1024 * 1024;
const maxPathBytes = 4_096;
/** What runs as its owner, or its group, does so elsewhere only where -p asks for it, as with OpenSSH's scp. */
const setIds = 0o6000;

/** Resolves at the client's end; throws ScpEnd where there is nothing more to be said. */
export async function receiveFiles(parts: ScpParts, targets: readonly string[]): Promise<void> {
  const [target] = targets;
  if (target === undefined || targets.length > 1) throw new ScpEnd('ambiguous target');
  if (parts.command.intoFolder && !(await isFolder(parts.files, target)))
    throw new ScpEnd(`${Buffer.from(target, 'latin1')}: Not a directory`);
  await receiveInto(parts, target, 'nothing-more');
}

/** One folder's worth: to the line that ends it, or to the client's end. */
async function receiveInto(
  parts: ScpParts,
  target: string,
  endsWith: 'folder-end' | 'nothing-more',
): Promise<void> {
  const { talk, files } = parts;
  const intoFolder = await isFolder(files, target);
  await talk.send(acknowledgement);
  let times: Times | undefined;
  for (;;) {
    const line = await talk.readLine();
    if (line === undefined) {
      if (endsWith === 'nothing-more') return;
      throw new ScpEnd('lost connection');
    }
    const record = parseRecord(line);
    if (record.kind === 'warning') continue;
    if (record.kind === 'folder-end') {
      if (endsWith !== 'folder-end') throw new ScpEnd('protocol error: unexpected end of folder');
      return talk.send(acknowledgement);
    }
    if (record.kind === 'times') {
      times = record.times;
      await talk.send(acknowledgement);
      continue;
    }
    const path = intoFolder ? `${target}/${record.name}` : target;
    const receive = record.kind === 'folder' ? receiveFolder : receiveFile;
    const keepsAttributes = parts.command.keepsAttributes;
    const named = keepsAttributes ? record : { ...record, mode: record.mode & ~setIds };
    await receive(parts, path, named, keepsAttributes ? times : undefined);
    times = undefined;
  }
}

async function receiveFolder(parts: ScpParts, path: string, { mode }: Named, times: Times | undefined) {
  const { command, talk, files } = parts;
  if (!command.isRecursive) throw new ScpEnd('protocol error: received directory without -r');
  try {
    if (path.length > maxPathBytes) throw new FileFailure('failure', 'File name too long');
    if (!(await exists(files, path))) await files.makeFolder(path, mode | 0o700);
    else if (!(await isFolder(files, path))) throw new FileFailure('failure', 'Not a directory');
  } catch (error) {
    return talk.warn(path, error);
  }
  await receiveInto(parts, path, 'folder-end');
  // Not before: the folder could be one that nothing may be written into.
  const kept = { ...(command.keepsAttributes ? { mode } : {}), ...times };
  if (Object.keys(kept).length === 0) return;
  await files.setAttributes(path, kept, true).catch((error) => talk.warn(path, error));
}

async function receiveFile(
  { command, talk, files }: ScpParts,
  path: string,
  { mode, size }: Named,
  times: Times | undefined,
) {
  let file: OpenFile;
  try {
    file = await files.open(path, {
      ...{ read: false, write: true, append: false, create: true, truncate: true, exclusive: false },
      permissions: mode,
    });
  } catch (error) {
    return talk.warn(path, error);
  }
  await talk.send(acknowledgement);
  let failure: unknown;
  try {
    failure = await receiveData(talk, file, size);
  } finally {
    await file.close();
  }
  await talk.readAnswer();
  const kept = { ...(command.keepsAttributes ? { mode } : {}), ...times };
  if (failure === undefined && Object.keys(kept).length > 0) {
    failure = await files.setAttributes(path, kept, true).then(
      () => undefined,
      (error: unknown) => error,
    );
  }
  if (failure === undefined) await talk.send(acknowledgement);
  else await talk.warn(path, failure);
}

/** Returns what went wrong; all of the content is taken from the client anyway. One part is on its way while one comes. */
async function receiveData(talk: Conversation, file: OpenFile, size: number): Promise<unknown> {
  let failure: unknown;
  let writing = Promise.resolve();
  for (let offset = 0; offset < size; offset += writeBytes) {
    const data = await talk.readData(Math.min(writeBytes, size - offset));
    await writing;
    if (failure !== undefined) continue;
    writing = file.write(offset, data).catch((error: unknown) => {
      failure = error;
    });
  }
  await writing;
  return failure;
}

async function isFolder(files: FileOperations, path: string): Promise<boolean> {
  const facts = await files.stat(path, true).catch(absent);
  return facts !== undefined && (facts.mode & 0o170000) === 0o040000;
}

const exists = async (files: FileOperations, path: string) =>
  (await files.stat(path, true).catch(absent)) !== undefined;

function absent(error: unknown): undefined {
  if (!(error instanceof FileFailure)) throw error;
}
