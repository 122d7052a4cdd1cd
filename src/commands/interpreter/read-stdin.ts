import { GatewayError } from '../../errors.ts';
import type { SessionIo } from '../../sessions/session.ts';

const defaultLimitBytes = 64 * 1024;

/**
 * All of stdin as text. Throws `usage` beyond `limitBytes`: the rest is not read, so the peer waits at its
 * window. A peer that leaves ends it.
 */
export async function readAll({ stdin, closed }: SessionIo, limitBytes = defaultLimitBytes): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const stop = () => stdin.destroy();
  closed.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stdin.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer | string>) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      size += bytes.length;
      if (size > limitBytes) {
        throw new GatewayError('usage', {
          problem: `stdin holds more than the ${limitBytes} bytes this command takes.`,
        });
      }
      chunks.push(bytes);
    }
  } catch (error) {
    if (!closed.aborted) throw error;
  } finally {
    closed.removeEventListener('abort', stop);
  }
  return Buffer.concat(chunks).toString('utf8');
}
