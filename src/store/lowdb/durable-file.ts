/** Writing so that a power cut leaves the old content or the new, whole. */
import * as fs from 'node:fs/promises';
import { writeNew } from '../../platform/durable-file.ts';
import { randomId } from '../../platform/ids.ts';

/** The calls a failing disk fails; tests put their own in their place. */
export type FileCalls = Pick<typeof fs, 'open' | 'rename' | 'link' | 'copyFile' | 'unlink'>;

export const fileCalls: FileCalls = fs;

const temporarySuffix = '.tmp';

export const isTemporary = (fileName: string, of: string) =>
  fileName.startsWith(`${of}.`) && fileName.endsWith(temporarySuffix);

/** A new file of mode 0600 beside `file`, its content on the disk itself; returns its path. */
export async function writeTemporary(file: string, text: string, calls: FileCalls): Promise<string> {
  const temporary = `${file}.${process.pid}-${randomId(8)}${temporarySuffix}`;
  try {
    await writeNew(temporary, text, 0o600, calls);
  } catch (error) {
    await calls.unlink(temporary).catch(() => {});
    throw error;
  }
  return temporary;
}
