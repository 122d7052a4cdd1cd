import { expect, it } from 'vitest';
import { SendQueue } from '../../../src/ssh/send-queue.ts';

function openQueue(windowBytes: number) {
  const sent: string[] = [];
  const queue = new SendQueue({
    wire: {
      sendData: (_remote, data) => void sent.push(`stdout ${data}`),
      sendStderr: (_remote, data) => void sent.push(`stderr ${data}`),
      isWritable: () => true,
      onWritable: () => {},
    },
    remote: 0,
    windowBytes,
    packetBytes: 32_768,
    isOpen: () => true,
  });
  const write = (text: string, isStderr: boolean) =>
    new Promise<void>((resolve) => queue.write(Buffer.from(text), isStderr, () => resolve()));
  return { queue, sent, write };
}

it('a client that takes no more stdout is still told what the program complains of, as by sshd', async () => {
  const { queue, sent, write } = openQueue(1_000);
  let broken = 0;
  queue.breakPipe(() => broken++);
  await write('grep: /root: Permission denied', true);
  expect([sent, broken]).toEqual([['stderr grep: /root: Permission denied'], 0]);
  await write('a match', false);
  expect([sent.length, broken]).toEqual([1, 1]);
});

it('what waited of stdout then is dropped, and what waited of stderr is sent once there is window', async () => {
  const { queue, sent, write } = openQueue(0);
  let broken = 0;
  const stdout = write('output', false);
  const stderr = write('complaint', true);
  queue.breakPipe(() => broken++);
  await stdout;
  expect([sent, broken]).toEqual([[], 1]);
  expect(queue.widen(100)).toBe(true);
  await stderr;
  expect(sent).toEqual(['stderr complaint']);
});
