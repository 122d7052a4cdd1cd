import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readToTheEnd } from '../../../../src/targets/container/hijacked-stream.ts';

/** A connection whose other end takes nothing any more, and has not yet said its last. */
function open() {
  const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(broken) });
  let failed = 0;
  let text = '';
  let ended = false;
  readToTheEnd(stream, () => {
    failed++;
  });
  stream.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  stream.on('end', () => {
    ended = true;
  });
  return { stream, told: () => ({ failed, text, ended }) };
}

describe('a connection that fails', () => {
  it('at a write is read to its end: what the program said last, and that it was the last', async () => {
    const { stream, told } = open();
    stream.write('unread');
    await turn();
    stream.push('last words');
    stream.push(null);
    await turn();
    expect(told()).toEqual({ failed: 1, text: 'last words', ended: true });
  });

  it('at a read has ended', async () => {
    const { stream, told } = open();
    stream.push('last words');
    stream.destroy(Object.assign(new Error('read ECONNRESET'), { syscall: 'read' }));
    await turn();
    expect(told()).toEqual({ failed: 0, text: 'last words', ended: true });
  });

  it('closes when it is told to', async () => {
    const { stream } = open();
    stream.write('unread');
    await turn();
    stream.destroy();
    expect(stream.destroyed).toBe(true);
  });
});
