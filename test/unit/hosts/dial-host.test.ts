/** Where a dial goes: to the address that was checked, whatever a name meant when it was registered. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { hostname as ownName } from 'node:os';
import { describe, expect, it } from 'vitest';
import { dialHost } from '../../../src/hosts/dial-host.ts';
import { forAllTests } from '../../support/lifetimes.ts';

/** Somebody on the gateway's own machine whom no member may reach. */
const inside = forAllTests(
  async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.on('error', () => {});
      socket.end('secret');
    });
    server.listen(0, '::');
    await once(server, 'listening');
    return { server, port: (server.address() as AddressInfo).port, connections: () => connections };
  },
  async ({ server }) => void server.close(),
);

const dial = (hostname: string, addresses?: readonly string[], mayBeInternal = false) =>
  dialHost(
    { hostname, port: inside.port, mayBeInternal },
    addresses && (async () => addresses.map((address) => ({ address }))),
  ).then(
    (socket) => {
      socket.destroy();
      return 'connected';
    },
    (error: { code: string }) => error.code,
  );

describe('a host that a member registered', () => {
  it.each([
    '127.0.0.1',
    '::1',
    '0.0.0.0',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::127.0.0.1',
    '64:ff9b:1::7f00:1',
    '2002:7f00:1::',
    '127.1',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '0x7f000001',
    '2130706433',
    'localhost',
    'localhost.',
    ownName(),
  ])('ssrf: is not reached as %s, whatever the resolver reads in that', async (hostname) => {
    expect(await dial(hostname)).toMatch(/^host-(address-refused|unreachable)$/);
    expect(inside.connections()).toBe(0);
  });

  it('dns-rebinding: a name that leads inside by now is refused now', async () => {
    expect(await dial('db.example.com', ['127.0.0.1'])).toBe('host-address-refused');
  });

  it('dns-rebinding: one inner address among others is enough', async () => {
    expect(await dial('db.example.com', ['192.0.2.1', '::ffff:10.0.0.1'])).toBe('host-address-refused');
    expect(inside.connections()).toBe(0);
  });
});

describe('a host that an admin registered', () => {
  it('may be inside, and the next address is tried where one does not answer', async () => {
    expect(await dial('db.example.com', ['127.0.0.1'], true)).toBe('connected');
    expect(await dial('db.example.com', ['255.255.255.255', '127.0.0.1'], true)).toBe('connected');
  });

  it('slow-name: whose name servers never answer is left in time', async () => {
    const dialled = dialHost(
      { hostname: 'slow.example', port: inside.port, mayBeInternal: true, withinMs: 50 },
      () => new Promise(() => {}),
    );
    await expect(dialled).rejects.toThrow(
      'slow.example cannot be reached from the gateway (no answer in time).',
    );
  });

  it('whose name leads nowhere is a sentence', async () => {
    expect(await dial('nosuch.invalid', undefined, true)).toBe('host-unreachable');
    expect(await dial('db.example.com', [], true)).toBe('host-unreachable');
  });
});
