import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { carryBytes } from '../../../src/sessions/carry-bytes.ts';

/** A stream whose other end is in the test's hand. */
function pair() {
  const written: Buffer[] = [];
  let ended = false;
  const stream = new Duplex({
    autoDestroy: false,
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk);
      done();
    },
    final(done) {
      ended = true;
      done();
    },
  });
  return { stream, text: () => Buffer.concat(written).toString(), ended: () => ended };
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

function carry() {
  const peer = pair();
  const server = pair();
  const left = new AbortController();
  const ended = new AbortController();
  let done = false;
  void carryBytes(peer.stream, server.stream, { peerClosed: left.signal, ended: ended.signal }).then(() => {
    done = true;
  });
  return { peer, server, left, ended, done: () => done };
}

describe('carrying bytes', () => {
  it('each end of data passes by itself, and both are the end', async () => {
    const { peer, server, done } = carry();
    peer.stream.push('question');
    peer.stream.push(null);
    await soon();
    expect([server.text(), server.ended(), peer.ended(), done()]).toEqual(['question', true, false, false]);
    server.stream.push('answer');
    server.stream.push(null);
    await soon();
    expect([peer.text(), peer.ended(), done(), server.stream.destroyed]).toEqual([
      'answer',
      true,
      true,
      true,
    ]);
  });

  it('a server that said all and is gone does not cut short what a slow peer still gets', async () => {
    const got: Buffer[] = [];
    let ended = false;
    let next = () => {};
    const slow = new Duplex({
      highWaterMark: 1,
      autoDestroy: false,
      read() {},
      write(chunk: Buffer, _encoding, done) {
        got.push(chunk);
        next = done;
      },
      final(done) {
        ended = true;
        done();
      },
    });
    const server = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const never = new AbortController().signal;
    let carried = false;
    void carryBytes(slow, server, { peerClosed: never, ended: never }).then(() => {
      carried = true;
    });
    slow.push(null);
    server.push('first ');
    await soon();
    server.push('last');
    server.push(null);
    next();
    await soon();
    expect([server.destroyed, carried, ended]).toEqual([true, false, false]);
    next();
    await soon();
    expect([Buffer.concat(got).toString(), carried, ended]).toEqual(['first last', true, true]);
  });

  it('what a peer sent before it left is delivered', async () => {
    const { peer, server, left, done } = carry();
    peer.stream.push('last words');
    peer.stream.push(null);
    left.abort();
    await soon();
    expect([server.text(), server.ended(), done()]).toEqual(['last words', true, true]);
  });

  it('ended by the gateway, nothing more passes', async () => {
    const { peer, server, ended, done } = carry();
    ended.abort();
    peer.stream.push('too late');
    await soon();
    expect([server.text(), done(), server.stream.destroyed]).toEqual(['', true, true]);
  });

  it('a server that fails ends it', async () => {
    const { server, done } = carry();
    server.stream.destroy(new Error('reset'));
    await soon();
    expect(done()).toBe(true);
  });
});
