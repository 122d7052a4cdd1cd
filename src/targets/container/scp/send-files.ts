/** The sending end of scp: files and folders of the container go to the client. OpenSSH's `source`. */
import { type FileAttributes, FileFailure, type OpenFile, type OpenFolder } from '../sftp/file-operations.ts';
import { acknowledgement, ScpEnd } from './conversation.ts';
import type { ScpParts } from './receive-files.ts';
import { recordLine, timesLine } from './records.ts';

const readBytes = 255 * 1024;
const maxPathBytes = 4_096;
/** Of the folders on the way to where it is, and what these hold that was not sent yet: the container says how deep that is. */
const maxFolders = 256;
const maxHeldBytes = 24 * 1024 * 1024;

interface Sending extends ScpParts {
  readonly folders: Set<OpenFolder>;
}

/** Resolves when all was sent, or told why not; throws ScpEnd where there is nothing more to be said. */
export async function sendFiles(parts: ScpParts, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) throw new ScpEnd('no path was named');
  await parts.talk.readAnswer();
  const sending = { ...parts, folders: new Set<OpenFolder>() };
  for (const path of paths) await sendOne(sending, path.replace(/(?<=.)\/+$/, ''));
}

/** `known`: what a listing told; of a symbolic link that is not what is behind it. */
async function sendOne(parts: Sending, path: string, known?: FileAttributes): Promise<void> {
  const { command, talk, files } = parts;
  try {
    const facts = known && kindOf(known) !== link ? known : await files.stat(path, true);
    if (kindOf(facts) === folder && command.isRecursive) return await sendFolder(parts, path, facts);
    checkRegular(facts);
    const file = await files.open(path, {
      ...{ read: true, write: false, append: false, create: false, truncate: false, exclusive: false },
      permissions: undefined,
    });
    try {
      // It may be another than was listed, or longer by now: what is announced is what is read.
      await sendFile(parts, path, checkRegular(await file.stat()), file);
    } finally {
      await file.close();
    }
  } catch (error) {
    await talk.warn(path, error);
  }
}

async function sendFile({ command, talk }: ScpParts, path: string, facts: FileAttributes, file: OpenFile) {
  if (command.keepsAttributes && !(await say(timesLine(facts)))) return;
  if (!(await say(recordLine('C', facts.mode, facts.size, lastPart(path))))) return;
  let failure: FileFailure | undefined;
  for (let offset = 0; offset < facts.size; ) {
    const wanted = Math.min(readBytes, facts.size - offset);
    const data = failure ? Buffer.alloc(0) : await file.read(offset, wanted).catch(failed);
    if (data.length === 0) failure ??= new FileFailure('failure', 'the file became shorter');
    // What was announced must come; that it is worthless is said after it.
    const sent = data.length > 0 ? data : Buffer.alloc(wanted);
    await talk.send(sent);
    offset += sent.length;
  }
  if (failure) await talk.warn(path, failure);
  else await talk.send(acknowledgement);
  await talk.readAnswer();

  async function say(line: string): Promise<boolean> {
    await talk.send(line);
    return talk.readAnswer();
  }
  function failed(error: unknown): Buffer {
    if (!(error instanceof FileFailure)) throw error;
    failure = error;
    return Buffer.alloc(0);
  }
}

async function sendFolder(parts: Sending, path: string, facts: FileAttributes): Promise<void> {
  const { files, folders } = parts;
  if (path.length > maxPathBytes) throw new FileFailure('failure', 'File name too long');
  const folder = await files.openFolder(path);
  folders.add(folder);
  try {
    const heldBytes = [...folders].reduce((sum, each) => sum + each.heldBytes, 0);
    if (folders.size > maxFolders || heldBytes > maxHeldBytes) {
      throw new FileFailure('failure', 'folders are too deep or too large within each other');
    }
    await sendEntries(parts, path, facts, folder);
  } finally {
    folders.delete(folder);
    await folder.close();
  }
}

async function sendEntries(
  parts: Sending,
  path: string,
  facts: FileAttributes,
  folder: OpenFolder,
): Promise<void> {
  const { command, talk } = parts;
  // Once the folder has begun for the client, it must end.
  const next = () =>
    folder.read().catch(async (error) => {
      await talk.warn(path, error);
      return [];
    });
  if (command.keepsAttributes) {
    await talk.send(timesLine(facts));
    if (!(await talk.readAnswer())) return;
  }
  await talk.send(recordLine('D', facts.mode, 0, lastPart(path)));
  if (!(await talk.readAnswer())) return;
  for (let some = await next(); some.length > 0; some = await next()) {
    for (const { name, attributes } of some)
      if (name !== '.' && name !== '..') await sendOne(parts, `${path}/${name}`, attributes);
  }
  await talk.send('E\n');
  await talk.readAnswer();
}

function checkRegular(facts: FileAttributes): FileAttributes {
  if (kindOf(facts) !== regular) throw new FileFailure('failure', 'not a regular file');
  return facts;
}

const lastPart = (path: string) => path.slice(path.lastIndexOf('/') + 1);

const [regular, folder, link] = [0o100000, 0o040000, 0o120000];
const kindOf = ({ mode }: FileAttributes) => mode & 0o170000;
