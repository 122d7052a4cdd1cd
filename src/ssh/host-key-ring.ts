/**
 * Replacing the host keys without a warning for anybody: the next ones are first announced beside those in use
 * (clients with UpdateHostKeys take them into their known_hosts), and take their place some weeks later.
 */
import { copyFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere } from '../platform/is-there.ts';
import { type HostKey, hostKeyFiles, loadHostKey, loadHostKeys, makeHostKey } from './host-keys.ts';

export interface HostKeyRing {
  /** What the key exchange uses, best first. */
  readonly serving: readonly HostKey[];
  /** Those and the next ones: what clients are told and may ask a proof of. */
  readonly announced: readonly HostKey[];
}

const nextOf = (path: string) => `${path}.next`;

/** The ring of a folder, and the two steps of a rotation. */
export interface HostKeyRotation {
  current(): HostKeyRing;
  /** Reads the folder again: another process may have rotated them. */
  read(): Promise<void>;
  /** Makes the next keys, those that are not there already; resolves to them. They are announced from now on. */
  begin(): Promise<readonly HostKey[]>;
  /** Puts the next keys in use; the old ones stay as `….old`. Throws a sentence when there are no next ones. */
  finish(): Promise<readonly HostKey[]>;
}

/** Loads what is in `folder`, making the keys in use if they are missing. Throws as loadHostKeys does. */
export async function openHostKeyRing(folder: string): Promise<HostKeyRotation> {
  let ring = await loadHostKeyRing(folder);
  return {
    current: () => ring,
    async read() {
      ring = await loadHostKeyRing(folder);
    },
    async begin() {
      await beginRotation(folder);
      ring = await loadHostKeyRing(folder);
      return ring.announced.slice(ring.serving.length);
    },
    async finish() {
      await finishRotation(folder);
      ring = await loadHostKeyRing(folder);
      return ring.serving;
    },
  };
}

async function loadHostKeyRing(folder: string): Promise<HostKeyRing> {
  const serving = await loadHostKeys(folder);
  const next: HostKey[] = [];
  for (const { name } of hostKeyFiles) {
    const path = nextOf(join(folder, name));
    if (await isThere(path)) next.push(await loadHostKey(path));
  }
  return { serving, announced: [...serving, ...next] };
}

async function beginRotation(folder: string): Promise<void> {
  for (const { name, make } of hostKeyFiles) {
    const path = nextOf(join(folder, name));
    if (!(await isThere(path))) await makeHostKey(path, make);
  }
}

async function finishRotation(folder: string): Promise<void> {
  const paths = hostKeyFiles.map(({ name }) => join(folder, name));
  for (const path of paths) {
    if (!(await isThere(nextOf(path)))) {
      throw new Error('there are no next host keys; "postern hostkey rotate" makes them.');
    }
  }
  for (const path of paths) await putNextInPlace(path);
}

/** Another gateway may read the folder meanwhile: it always finds a key, with its own certificate or none. */
async function putNextInPlace(path: string): Promise<void> {
  const [old, next] = [`${path}.old`, nextOf(path)];
  await rename(`${path}-cert.pub`, `${old}-cert.pub`).catch(ignoreMissing);
  for (const suffix of ['', '.pub']) {
    await copyFile(path + suffix, old + suffix).catch(ignoreMissing);
    await rename(next + suffix, path + suffix).catch(ignoreMissing);
  }
  await rename(`${next}-cert.pub`, `${path}-cert.pub`).catch(ignoreMissing);
}

const ignoreMissing = (error: NodeJS.ErrnoException) => {
  if (error.code !== 'ENOENT') throw error;
};
