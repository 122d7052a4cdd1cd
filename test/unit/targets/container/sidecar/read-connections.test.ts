import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readConnections } from '../../../../../src/targets/container/sidecar/read-connections.ts';

function read(chunks: readonly string[]) {
  const stream = new PassThrough();
  const told: string[] = [];
  readConnections(stream, (id, { address, port }) => told.push(`${id} from ${address} ${port}`));
  for (const chunk of chunks) stream.write(chunk);
  return new Promise<{ told: string[]; destroyed: boolean }>((resolve) =>
    setImmediate(() => resolve({ told, destroyed: stream.destroyed })),
  );
}

describe('what a sidecar tells of connections', () => {
  it('is a line each, however it is cut', async () => {
    expect(await read(['1 127.0.0.1 50', '00\n2 ::1 60000\n3 fe80::1%eth0', ' 1\n'])).toEqual({
      told: ['1 from 127.0.0.1 5000', '2 from ::1 60000', '3 from fe80::1%eth0 1'],
      destroyed: false,
    });
  });

  it.each([
    'x 127.0.0.1 1\n',
    '1 a b 1\n',
    '1 127.0.0.1 -1\n',
    '1&id=2 127.0.0.1 1\n',
    '\n',
    'a'.repeat(1_000),
  ])('hostile-sidecar: %j ends it', async (line) => {
    expect(await read([line])).toEqual({ told: [], destroyed: true });
  });
});
