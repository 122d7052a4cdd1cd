/** Ports for programs that cannot be told to choose one themselves. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below what the system gives out by itself (32,768 with Linux, 49,152 elsewhere), to clients as to listeners: between
 * the answer and its use no connection of any other program takes it.
 */
const first = 10_000;
const each = 500;
const slices = 44;

/** Vitest numbers the processes that run at once: none is given what another asked for. */
const slice = first + (Number(process.env.VITEST_POOL_ID ?? 0) % slices) * each;
let next = Math.floor(Math.random() * each);

/** A port of this machine that nobody listens on, for the caller to. None is given twice in a row. */
export async function freePort(): Promise<number> {
  for (let tries = each; tries > 0; tries--) {
    const port = slice + (next++ % each);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${slice} to ${slice + each - 1} is free`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  await once(server.close(), 'close');
  return true;
}
