import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { joinAnswers, joinTick } from '../../../src/ssh/join-answers.ts';
import type { Ssh2Protocol } from '../../../src/ssh/ssh2-shapes.ts';

/** A transport that notes what each write to the system holds, and a protocol that answers by `answer`. */
function opened(answer: (transport: Duplex) => void) {
  const writes: string[] = [];
  let isOver = false;
  const transport = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      writes.push(String(chunk));
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.map(({ chunk }) => String(chunk)).join('+'));
      done();
    },
  });
  const protocol = { parse: () => answer(transport) } as unknown as Ssh2Protocol;
  joinAnswers(protocol, transport, () => isOver);
  return { transport, protocol, writes, endLogin: () => (isOver = true) };
}

const answerTwice = (transport: Duplex) => {
  transport.write('reply');
  transport.write('newkeys');
};
const data = [Buffer.alloc(1), 0, 1] as const;

it('what is answered to one piece of data leaves in one write, before anything else happens', () => {
  const { protocol, writes } = opened(answerTwice);
  protocol.parse(...data);
  expect(writes).toEqual(['reply+newkeys']);
  protocol.parse(...data);
  expect(writes).toEqual(['reply+newkeys', 'reply+newkeys']);
});

it('what was answered before a fault leaves, too: the peer learns why it is turned away', () => {
  const { protocol, writes } = opened((transport) => {
    transport.write('disconnect');
    throw new Error('malformed');
  });
  expect(() => protocol.parse(...data)).toThrow('malformed');
  expect(writes).toEqual(['disconnect']);
});

it('after the login the outbox alone joins writes', () => {
  const { protocol, writes, endLogin } = opened(answerTwice);
  endLogin();
  protocol.parse(...data);
  expect(writes).toEqual(['reply', 'newkeys']);
});

it('what follows a success in its tick leaves with it, at the end of the tick', async () => {
  const { transport, writes } = opened(answerTwice);
  joinTick(transport);
  transport.write('success');
  transport.write('hostkeys');
  expect(writes).toEqual([]);
  await Promise.resolve();
  await new Promise((resolve) => process.nextTick(resolve));
  expect(writes).toEqual(['success+hostkeys']);
});
