/** The far end of `scp -O` for containers whose image has no scp: the rcp protocol over file operations. */
import type { Readable, Writable } from 'node:stream';
import { FileFailure, type FileOperations } from '../sftp/file-operations.ts';
import { createConversation, endingLine, ScpEnd, textFor } from './conversation.ts';
import { receiveFiles } from './receive-files.ts';
import type { ScpTransfer } from './scp-command.ts';
import { sendFiles } from './send-files.ts';

/** Resolves to the exit status: 1 where anything was told to have failed, as scp itself ends. */
export async function serveScp(
  transfer: ScpTransfer,
  input: Readable,
  output: Writable,
  files: FileOperations,
  closed: AbortSignal,
): Promise<0 | 1> {
  const talk = createConversation(input, output, closed);
  const isWhole = (path: string) => path.startsWith('/');
  try {
    const home = transfer.paths.every(isWhole) ? '' : await files.startFolder();
    const paths = transfer.paths.map((path) => (isWhole(path) ? path : `${home}/${path}`));
    const transferFiles = transfer.direction === 'receive' ? receiveFiles : sendFiles;
    await transferFiles({ command: transfer, talk, files }, paths);
    return talk.warnings > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof ScpEnd || error instanceof FileFailure)) throw error;
    if (error.message && output.writable) output.write(endingLine(textFor('', error.message)));
    return 1;
  }
}
