import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readAgentKeys } from '../../../../src/ssh/client/agent-keys.ts';
import { byte, string, uint32 } from '../../../../src/ssh/wire.ts';

const mib = 1024 * 1024;

/** An agent that answers each request as told, and then says more than anybody asked for, as long as somebody reads. */
function createAgent(answer: (type: number) => Buffer, floodsAfter: number) {
  const state = { sent: 0, floods: false };
  const stream = new Duplex({
    read() {
      if (!state.floods) return;
      // As fast as it is read, and never at once.
      setImmediate(() => {
        if (stream.destroyed || state.sent > 64 * mib) return;
        state.sent += 64 * 1024;
        stream.push(Buffer.alloc(64 * 1024));
      });
    },
    write(data: Buffer, _encoding, done) {
      stream.push(string(answer(data[4] as number)));
      state.floods = data[4] === floodsAfter;
      if (state.floods) stream.push(Buffer.alloc(64 * 1024, 0xff));
      done();
    },
  });
  return { stream, state };
}

const keyBlob = Buffer.concat([string('ssh-ed25519'), string(Buffer.alloc(32))]);
const identities = Buffer.concat([byte(12), uint32(1), string(keyBlob), string('a comment')]);
const settled = () => new Promise((resolve) => setTimeout(resolve, 200));

describe('an agent that is lent to log in with', () => {
  it('flood: what it says unasked is not gathered while the host takes its time', async () => {
    const { stream, state } = createAgent(() => identities, 11);
    expect(await readAgentKeys(stream)).toHaveLength(1);
    await expect.poll(() => stream.destroyed).toBe(true);
    await settled();
    expect(state.sent).toBeLessThan(mib);
  });

  it('flood: nor is an answer without end, and the next question is refused at once', async () => {
    const { stream, state } = createAgent(
      (type) => (type === 11 ? identities : Buffer.concat([byte(14), Buffer.alloc(200)])),
      13,
    );
    const [key] = await readAgentKeys(stream);
    await key?.sign(Buffer.from('data'), 'ssh-ed25519').catch(() => {});
    await expect.poll(() => stream.destroyed).toBe(true);
    await settled();
    expect(state.sent).toBeLessThan(mib);
    await expect(key?.sign(Buffer.from('data'), 'ssh-ed25519')).rejects.toThrow('gone');
  });
});
