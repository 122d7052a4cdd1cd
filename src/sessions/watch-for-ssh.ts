import type { Readable } from 'node:stream';

/** RFC 4253 §4.2: a client says nothing before this. */
const greeting = Buffer.from('SSH-');

/** Calls back once when what a client sends begins as SSH does. It looks at the first bytes only, and takes none. */
export function watchForSsh(client: Readable, onSsh: () => void): void {
  let seen = Buffer.alloc(0);
  const look = (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk.subarray(0, greeting.length - seen.length)]);
    if (seen.length < greeting.length && greeting.subarray(0, seen.length).equals(seen)) return;
    client.off('data', look);
    if (seen.equals(greeting)) onSsh();
  };
  client.on('data', look);
}
