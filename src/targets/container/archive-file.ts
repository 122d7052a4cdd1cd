/** Reads one small file of a container through the archive API, without starting a process in it. */
import type { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { GatewayError } from '../../errors.ts';
import type { EngineApi } from './engine-api.ts';
import { translateEngineError } from './engine-errors.ts';

/** File, its tar header and padding; what is larger is no passwd. */
const maxArchiveBytes = 4 * 1024 * 1024 + 64 * 1024;

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
  const stream = await engine.findArchive(containerId, path);
  if (!stream) return undefined;
  const tar = extract();
  tar.end(
    await readBounded(stream, path).catch((error: unknown) => {
      throw translateEngineError(error);
    }),
  );
  for await (const entry of tar) {
    const { type, linkname } = entry.header;
    if (type === 'symlink') return { linkTarget: linkname };
    if (type !== 'file') return undefined;
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    return { content: Buffer.concat(chunks) };
  }
  return undefined;
}

/** Leaving the loop destroys the stream, and with it its socket. */
async function readBounded(stream: Readable, path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxArchiveBytes) {
      throw new GatewayError('engine-failed', { reason: `${path} in the container is too large` });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
