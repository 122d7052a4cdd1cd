/** What a sidecar tells of connections to a place where it listens: untrusted, a line each, `ID ADDRESS PORT`. */
import type { Duplex } from 'node:stream';

export interface Origin {
  readonly address: string;
  readonly port: number;
}

/** Far longer than any line of ours. */
const maxLineBytes = 256;

/** Destroys the stream when it is anything else. */
export function readConnections(stream: Duplex, onConnection: (id: string, origin: Origin) => void): void {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      const [, id, address, port] = /^(\d{1,12}) ([0-9A-Za-z.:%-]{1,64}) (\d{1,5})$/.exec(line) ?? [];
      if (!id || !address) return void stream.destroy();
      onConnection(id, { address, port: Number(port) });
    }
    if (text.length > maxLineBytes) stream.destroy();
  });
  stream.on('error', () => {});
}
