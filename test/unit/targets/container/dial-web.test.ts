import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { Authorization } from '../../../../src/auth/authorization.ts';
import { dialWeb } from '../../../../src/targets/container/dial-web.ts';
import type { ContainerDetails, EngineApi } from '../../../../src/targets/container/engine-api.ts';
import { addressesOf, webPorts } from '../../../../src/targets/container/web-port.ts';
import type { ContainerTarget } from '../../../../src/targets/target.ts';
import { onHostNetwork, openAccess, web } from '../../../support/access.ts';

interface Facts {
  readonly labels?: Readonly<Record<string, string>>;
  readonly exposed?: readonly string[];
  readonly addresses?: readonly string[];
}

const details = ({ labels = {}, exposed = [], addresses = [] }: Facts) =>
  ({
    State: { Status: 'running' },
    Config: { Labels: labels, ExposedPorts: Object.fromEntries(exposed.map((port) => [port, {}])) },
    NetworkSettings: {
      Networks: Object.fromEntries(addresses.map((IPAddress, index) => [`n${index}`, { IPAddress }])),
    },
  }) as unknown as ContainerDetails;

/** RFC 5737: of nobody. */
const silent = '192.0.2.1';
const usual = [80, 8000, 8080, 3000];

describe('the port of a web server', () => {
  it.each<[string, Facts, number[]]>([
    ['its label says', { labels: { 'rexec.http.port': ' 8443 ' }, exposed: ['80/tcp'] }, [8443]],
    ['it alone exposes', { exposed: ['5000/tcp', '53/udp'] }, [5000]],
    ['is one of the usual ones, where several are exposed', { exposed: ['5000/tcp', '5001/tcp'] }, usual],
    ['is one of the usual ones, where nothing is said', {}, usual],
  ])('%s', (_what, facts, ports) => {
    expect(webPorts(details(facts), 'web')).toEqual(ports);
  });

  it.each(['0', '65536', '-1', '080', '8080/tcp', '1e3', '', 'http'])('label-port: %j is refused', (port) => {
    expect(() => webPorts(details({ labels: { 'rexec.http.port': port } }), 'web')).toThrow('1 to 65535');
  });
});

it('the addresses are those that networks gave', () => {
  expect(addressesOf(details({ addresses: ['', '172.18.0.2', '10.0.0.3'] }))).toEqual([
    '172.18.0.2',
    '10.0.0.3',
  ]);
  expect(addressesOf(details({ addresses: [''] }))).toEqual([]);
});

describe('the way there', () => {
  const signal = new AbortController().signal;
  const dial = async (who: string, target: ContainerTarget, facts: Facts, mayOpen = () => true) => {
    const { authorizer, principalOf } = await openAccess();
    const authorization = await authorizer.authorize(await principalOf(who), target, undefined);
    const engine = { inspect: async () => details(facts) } as unknown as EngineApi;
    return dialWeb(engine, authorization as Authorization<ContainerTarget>, { mayOpen, signal });
  };

  it('is closed to grants and keys without forwarding, and on the host’s network', async () => {
    for (const [who, target] of [
      ['limited grantee', web],
      ['owner by bare key', web],
      ['owner', onHostNetwork],
      ['grantee', onHostNetwork],
    ] as const) {
      await expect(dial(who, target, { addresses: ['127.0.0.1'] })).rejects.toMatchObject({
        code: 'web-refused',
      });
    }
  });

  it('is closed where permitopen= names none of the ports', async () => {
    await expect(dial('owner', web, { addresses: ['127.0.0.1'] }, () => false)).rejects.toMatchObject({
      code: 'web-refused',
    });
  });

  it('is by whichever of its networks the gateway reaches it on', async () => {
    const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const labels = { 'rexec.http.port': String(port) };
    for (const unreached of ['255.255.255.255', silent, '127.0.0.2']) {
      const startedAt = performance.now();
      const { socket } = await dial('owner', web, { labels, addresses: [unreached, '127.0.0.1'] });
      expect(await text(socket)).toBe('hello');
      expect(performance.now() - startedAt).toBeLessThan(4_000);
    }
    server.close();
  });

  it('ends soon where one address refuses and the others are silent', async () => {
    const labels = { 'rexec.http.port': '9' };
    const failed = dial('owner', web, { labels, addresses: [silent, '127.0.0.1'] });
    const startedAt = performance.now();
    await expect(failed).rejects.toMatchObject({ code: 'web-port-closed' });
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });

  it('ends with one sentence where the engine’s network is out of reach', async () => {
    const failed = dial('owner', web, { addresses: ['255.255.255.255'] });
    await expect(failed).rejects.toMatchObject({ code: 'web-unreachable', httpStatus: 502 });
  });
});
