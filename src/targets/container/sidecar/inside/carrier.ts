/** What a resident speaks HTTP/2 over: the gateway's unix socket beside its files, else stdin and stdout. Imports nothing but Node. */
import type { Duplex } from 'node:stream';
import { settle } from './dial.ts';
import { unblocked } from './unblocked.ts';

const connectWithinMs = 2_000;
const maxLineBytes = 256;

/** The gateway's first line on stdin is the token that opens the socket and its path, or is empty. `reached` is told a path that led there. */
export async function openCarrier(stdio: Duplex, reached: (path: string) => void): Promise<Duplex> {
  const [token, path] = (await readLine(stdio)).split(' ');
  if (!path) return stdio;
  const socket = await settle({ path }, connectWithinMs).catch(() => undefined);
  if (!socket) return stdio;
  reached(path);
  socket.write(`${token}\n`);
  // Only its end matters now.
  stdio.resume();
  return unblocked(socket);
}

function readLine(stdio: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = Buffer.alloc(0);
    const read = (chunk: Buffer) => {
      text = Buffer.concat([text, chunk]);
      const end = text.indexOf('\n');
      if (end < 0 && text.length < maxLineBytes) return;
      stdio.off('data', read).pause();
      if (end < 0) return reject(new Error('that is no token'));
      if (end + 1 < text.length) stdio.unshift(text.subarray(end + 1));
      resolve(text.toString('latin1', 0, end));
    };
    stdio.on('data', read);
  });
}
