import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readEvents } from '../../../../src/targets/container/container-events.ts';

const idsOf = async (stream: Readable) => {
  const ids: string[] = [];
  for await (const { id } of readEvents(stream)) ids.push(id);
  return ids;
};
const event = (id: unknown) => `${JSON.stringify({ Type: 'container', Actor: { ID: id } })}\n`;

describe('events of the engine', () => {
  it('come however the bytes are cut', async () => {
    const bytes = Buffer.from(event('é1') + event('b2'));
    const single = [...bytes].map((byte) => Buffer.from([byte]));
    expect(await idsOf(Readable.from(single))).toEqual(['é1', 'b2']);
    expect(await idsOf(Readable.from([bytes]))).toEqual(['é1', 'b2']);
  });

  it('that are none are passed over', async () => {
    const lines = ['not json\n', 'null\n', '{}\n', '{"Actor":null}\n', event(7), event(''), '\n', event('a')];
    expect(await idsOf(Readable.from(lines.map((line) => Buffer.from(line))))).toEqual(['a']);
  });

  it('end with the stream, also when it breaks', async () => {
    const breaking = Readable.from(
      (async function* () {
        yield Buffer.from(event('a'));
        throw new Error('ECONNRESET');
      })(),
    );
    expect(await idsOf(breaking)).toEqual(['a']);
  });

  it('endless-line: what never ends a line is cut off at a MiB', async () => {
    let sent = 0;
    const endless = Readable.from(
      (async function* () {
        for (;;) {
          sent += 65_536;
          yield Buffer.alloc(65_536, 'x');
        }
      })(),
    );
    expect(await idsOf(endless)).toEqual([]);
    expect(sent).toBeLessThan(3 * 1024 * 1024);
    expect(endless.destroyed).toBe(true);
  });
});
