import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { grantAuthorization, type SessionAllowances } from '../../../../../src/auth/authorization.ts';
import type { ContainerFactsSource } from '../../../../../src/targets/container/container-facts.ts';
import type { Residents } from '../../../../../src/targets/container/resident/create-residents.ts';
import { createSockets } from '../../../../../src/targets/container/resident/open-sockets.ts';
import { InsideLost, InsideRefusal } from '../../../../../src/targets/container/sidecar/inside-connection.ts';
import { container } from '../../../../support/people.ts';
import { identity } from '../../../../support/session-io.ts';

const log = pino({ level: 'silent' });

/** Sockets through a resident that answers, or fails, as it is told. */
function openSockets(answer: (path: string, attempt: number) => Record<string, unknown>) {
  const asked: string[] = [];
  const streams: PassThrough[] = [];
  const resident = {
    load: 0,
    isOpen: true,
    answers: async () => true,
    ask: async (path: string) => {
      asked.push(path);
      const headers = answer(path, asked.length);
      const stream = new PassThrough();
      streams.push(stream);
      return { stream, headers };
    },
    onClose: () => {},
    close: () => {},
  };
  const residents = { open: async () => resident } as unknown as Residents;
  const facts = {
    getFacts: async () => ({ getUser: async () => ({ name: 'app' }) }),
  } as unknown as ContainerFactsSource;
  return { asked, streams, sockets: createSockets({ residents, facts, log }) };
}

const allowed = (allows: Partial<SessionAllowances> = {}) =>
  grantAuthorization({
    target: container('web'),
    user: undefined,
    identity,
    allows: { pty: true, forwarding: true, agentForwarding: true, sftp: true, ...allows },
  });
const agent = { agentFolder: 'abcdefghij' };

describe('the path of an agent', () => {
  it('is what the resident says', async () => {
    const { sockets, asked } = openSockets(() => ({ 'x-path': '/tmp/ssh-abcdefghij/agent.7' }));
    const { place } = await sockets.listen(allowed(), agent, () => {});
    expect(place).toEqual({ path: '/tmp/ssh-abcdefghij/agent.7' });
    expect(asked).toEqual(['/agent?name=abcdefghij']);
  });

  it.each([undefined, '', 'relative', '/a\nB=1', '/a b', '/ä', `/${'x'.repeat(107)}`, ['/a', '/b']])(
    'hostile-resident: %j becomes no variable',
    async (path) => {
      const { sockets, streams } = openSockets(() => ({ 'x-path': path }));
      await expect(sockets.listen(allowed(), agent, () => {})).rejects.toThrow('nothing can be forwarded');
      expect(streams[0]?.destroyed).toBe(true);
    },
  );
});

describe('sockets', () => {
  it('a path is passed on as it is, whatever stands in it', async () => {
    const { sockets, asked } = openSockets(() => ({}));
    await sockets.dial(allowed(), { path: '/a&path=/b?c#d/%2e%2e' });
    expect(new URLSearchParams(asked[0]?.split('?')[1]).getAll('path')).toEqual(['/a&path=/b?c#d/%2e%2e']);
  });

  it('nothing is asked for whom it is not allowed', async () => {
    const { sockets, asked } = openSockets(() => ({}));
    const none = allowed({ forwarding: false, agentForwarding: false });
    await expect(sockets.dial(none, { path: '/a' })).rejects.toThrow('you may not forward');
    await expect(sockets.listen(none, { path: '/a' }, () => {})).rejects.toThrow('you may not forward');
    await expect(sockets.listen(none, agent, () => {})).rejects.toThrow('may not be forwarded');
    expect(asked).toEqual([]);
  });

  it('a resident that has just died is asked again, once; what it refuses has a reason', async () => {
    const dying = openSockets((_path, attempt) => {
      if (attempt === 1) throw new InsideLost('gone');
      return {};
    });
    await dying.sockets.dial(allowed(), { path: '/a' });
    expect(dying.asked).toHaveLength(2);
    const refusing = openSockets(() => {
      throw new InsideRefusal('EACCES');
    });
    await expect(refusing.sockets.dial(allowed(), { path: '/a' })).rejects.toThrow(
      '/a in web: permission denied.',
    );
    expect(refusing.asked).toHaveLength(1);
  });
});
