/** Reads one small file of a container through the archive API, without starting a process in it. */
import type { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { GatewayError } from '../../errors.ts';
import type { EngineApi } from './engine-api.ts';

const maxFileBytes = 4 * 1024 * 1024;
/** File, its tar header and padding; more than that is not one small file. */
const maxArchiveBytes = maxFileBytes + 64 * 1024;

type Found = { readonly content: Buffer } | { readonly linkTarget: string } | undefined;

/** Undefined where there is no such regular file. Throws `engine-failed` when it is over 4 MiB. */
export async function findContainerFile(
  engine: EngineApi,
  containerId: string,
  path: string,
): Promise<Buffer | undefined> {
  const found = await readOnce(engine, containerId, path);
  if (!found || 'content' in found) return found?.content;
  // The engine resolves a link wholly and inside the container; so one step is enough, and safe.
  const stat = await engine.findPath(containerId, path);
  if (!stat?.linkTarget) return undefined;
  const behind = await readOnce(engine, containerId, stat.linkTarget);
  return behind && 'content' in behind ? behind.content : undefined;
}

async function readOnce(engine: EngineApi, containerId: string, path: string): Promise<Found> {
  const archive = await engine.findArchive(containerId, path);
  if (!archive) return undefined;
  try {
    return await readFirstEntry(archive, path);
  } finally {
    archive.destroy();
  }
}

function readFirstEntry(archive: Readable, path: string): Promise<Found> {
  return new Promise((resolve, reject) => {
    const tooLarge = () =>
      reject(new GatewayError('engine-failed', { reason: `${path} in the container is too large` }));
    const tar = extract();
    const chunks: Buffer[] = [];
    let archiveBytes = 0;
    tar.on('entry', (header, entry, next) => {
      if (header.type === 'symlink') return resolve({ linkTarget: header.linkname });
      if (header.type !== 'file') return resolve(undefined);
      if (header.size > maxFileBytes) return tooLarge();
      entry.on('data', (chunk) => chunks.push(chunk as Buffer));
      entry.on('end', () => {
        resolve({ content: Buffer.concat(chunks) });
        next();
      });
      entry.on('error', reject);
    });
    tar.on('finish', () => resolve(undefined));
    tar.on('error', reject);
    archive.on('data', (chunk: Buffer) => {
      archiveBytes += chunk.length;
      if (archiveBytes > maxArchiveBytes) tooLarge();
      else tar.write(chunk);
    });
    archive.on('end', () => tar.end(null));
    archive.on('error', reject);
    archive.on('close', () => reject(new Error('the archive ended early')));
  });
}
