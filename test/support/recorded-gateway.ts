/** A gateway that records, and what it wrote. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recordingsFolder } from '../../src/recordings/recording-folder.ts';
import type { TestGateway } from './gateway.ts';
import { type Cast, parseCast } from './recordings.ts';

export interface Listed {
  readonly id: string;
  readonly kind: string;
  readonly command: string;
  readonly account: string;
  readonly state: string;
  readonly end: Readonly<Record<string, unknown>> | null;
  readonly required: boolean;
}

/** What `recording list` says, newest first. */
export async function listRecordings(door: TestGateway, filters = ''): Promise<readonly Listed[]> {
  const listed = await door.ssh(`recording list ${filters} --json`);
  return (JSON.parse(listed.text) as { recordings: readonly Listed[] }).recordings;
}

/** The newest that matches, once its session has ended. Throws when there is none. */
export async function newest(
  door: TestGateway,
  wanted: (each: Listed) => boolean,
  filters = '',
): Promise<Listed> {
  for (;;) {
    const found = (await listRecordings(door, filters)).find(wanted);
    if (!found) throw new Error('there is no such recording');
    // A session waits for a second at most until the disk has all of it.
    if (found.state !== 'running') return found;
  }
}

/** As it is on disk. */
export async function castOf(door: Pick<TestGateway, 'dataDir'>, id: string): Promise<Cast> {
  const folder = recordingsFolder(door.dataDir);
  const name = (await readdir(folder)).find((each) => each.endsWith(`-${id}.cast`));
  if (!name) throw new Error(`there is no file of ${id}`);
  return parseCast(await readFile(join(folder, name), 'utf8'));
}
