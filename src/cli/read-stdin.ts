import type { Terminal } from './run-cli.ts';

const maxStdinBytes = 1024 * 1024;

/** All of stdin as text. Throws beyond 1 MiB. */
export async function readStdin({ stdin }: Pick<Terminal, 'stdin'>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxStdinBytes) throw new Error('more than 1 MiB on stdin.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
