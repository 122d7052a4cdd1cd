import { describe, expect, it } from 'vitest';
import type { SessionIo, SessionRequest, WindowSize } from '../../../src/sessions/session.ts';
import { Channel } from '../../../src/ssh/channel.ts';
import { serveSessionChannel } from '../../../src/ssh/session-channel.ts';
import { string, uint32, WireReader } from '../../../src/ssh/wire.ts';
import { channelNumbers, openWire } from '../../support/channel-wire.ts';

const success = 99;
const failure = 100;

const size = (columns: number, rows: number) => Buffer.concat([columns, rows, 0, 0].map(uint32));
const pty = Buffer.concat([string('xterm'), size(80, 24), string('')]);

/** A channel whose session is begun by a request of the test and listens when the test wants. */
function openChannel(openAgent?: SessionIo['openAgent']) {
  const sent: number[] = [];
  const wire = openWire((payload) => sent.push(payload[0] as number));
  const channel = new Channel(wire, channelNumbers, { eofAtFinish: false, startsClosed: true });
  let io: SessionIo | undefined;
  let ptySize: WindowSize | undefined;
  const start = (request: SessionRequest, given: SessionIo) => {
    io = given;
    ptySize = request.pty?.size;
    return new Promise<never>(() => {});
  };
  serveSessionChannel(channel, start, openAgent);
  return {
    /** Whether it was accepted. */
    ask: (type: string, data: Buffer = Buffer.alloc(0)): boolean => {
      channel.receiveRequest(type, true, new WireReader(data, 0));
      const answer = sent.at(-1);
      expect([success, failure]).toContain(answer);
      return answer === success;
    },
    ptySize: () => ptySize,
    mayOpenAgent: () => io?.openAgent !== undefined,
    sizes: () => {
      const sizes: string[] = [];
      io?.onWindowChange(({ columns, rows }) => sizes.push(`${columns}x${rows}`));
      return sizes;
    },
    signals: () => {
      const names: string[] = [];
      io?.onSignal((name) => names.push(name));
      return names;
    },
  };
}

describe('a window-change', () => {
  it('before the start, and before anybody listens, is told to who listens: the last one', () => {
    const { ask, sizes, ptySize } = openChannel();
    expect(ask('pty-req', pty)).toBe(true);
    expect(ask('window-change', size(100, 30))).toBe(true);
    expect(ask('shell')).toBe(true);
    expect(ptySize()).toMatchObject({ columns: 80, rows: 24 });
    expect(ask('window-change', size(120, 40))).toBe(true);
    const heard = sizes();
    expect(heard).toEqual(['120x40']);
    ask('window-change', size(130, 50));
    expect(heard).toEqual(['120x40', '130x50']);
  });

  it('only before the start reaches the session too', () => {
    const { ask, sizes } = openChannel();
    ask('pty-req', pty);
    ask('window-change', size(100, 30));
    ask('shell');
    expect(sizes()).toEqual(['100x30']);
  });

  it('without a terminal is refused', () => {
    const { ask, sizes } = openChannel();
    expect(ask('window-change', size(100, 30))).toBe(false);
    ask('exec', string('x'));
    expect(ask('window-change', size(100, 30))).toBe(false);
    expect(sizes()).toEqual([]);
  });
});

describe('a signal', () => {
  it('before the start is refused: there is nobody to send it to', () => {
    const { ask, signals } = openChannel();
    expect(ask('signal', string('TERM'))).toBe(false);
    ask('exec', string('x'));
    expect(signals()).toEqual([]);
  });

  it('before anybody listens is kept, in order', () => {
    const { ask, signals } = openChannel();
    ask('exec', string('x'));
    expect(ask('signal', string('USR1'))).toBe(true);
    expect(ask('signal', string('TERM'))).toBe(true);
    expect(signals()).toEqual(['USR1', 'TERM']);
  });

  it('flood before anybody listens: no more than sixteen are kept', () => {
    const { ask, signals } = openChannel();
    ask('exec', string('x'));
    for (let n = 0; n < 10_000; n++) ask('signal', string('USR1'));
    expect(signals()).toHaveLength(16);
  });
});

describe("the peer's agent", () => {
  const agent = async () => undefined;

  it('is there for a session that asked for it before its start, and for no other', () => {
    const asking = openChannel(agent);
    expect(asking.ask('auth-agent-req@openssh.com')).toBe(true);
    asking.ask('shell');
    expect(asking.mayOpenAgent()).toBe(true);
    const late = openChannel(agent);
    late.ask('shell');
    expect(late.ask('auth-agent-req@openssh.com')).toBe(false);
    expect(late.mayOpenAgent()).toBe(false);
  });

  it('is refused where nobody may have it', () => {
    const lobby = openChannel();
    expect(lobby.ask('auth-agent-req@openssh.com')).toBe(false);
    lobby.ask('shell');
    expect(lobby.mayOpenAgent()).toBe(false);
  });
});
