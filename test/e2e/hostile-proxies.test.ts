/** PROXY headers from who may not send one, and from listed proxies that are broken or taken over. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../support/http-api.ts';
import { binaryHeader } from '../support/proxy-header.ts';
import { openSocket } from '../support/raw-client.ts';

const proxy = '127.0.0.30';
const line = 'PROXY TCP4 198.51.100.7 198.51.100.1 50123 2222\r\n';
const binary = binaryHeader({ source: '198.51.100.7', local: '198.51.100.1', ports: [50123, 2222] });

let door: Api;
beforeAll(async () => {
  const config = { proxyProtocolFrom: [proxy], trustedProxies: [proxy], perSourcePenaltyExemptList: [] };
  door = await startApi({ config });
});
afterAll(() => door.stop());

const closedFrom = (source: string) =>
  door.logged().filter((each) => each['audit'] === 'connection-closed' && each['source'] === source).length;

/** Sends, and hangs up when there is an answer. */
async function greeting(send: string | Buffer, from = proxy, port = door.port): Promise<string> {
  const { socket, closed } = openSocket(port, send, from);
  socket.once('data', () => socket.destroySoon());
  return (await closed).toString('latin1');
}

describe('forged-proxy-header: from an address that is not listed it is read as what it is not', () => {
  it.each([
    ['version 1', Buffer.from(`${line}SSH-2.0-x\r\n`)],
    ['version 2', Buffer.concat([binary, Buffer.from('SSH-2.0-x\r\n')])],
  ])('%s over SSH', async (_version, bytes) => {
    const before = closedFrom('127.0.0.50');
    await greeting(bytes, '127.0.0.50');
    await expect.poll(() => closedFrom('127.0.0.50')).toBe(before + 1);
    expect(closedFrom('198.51.100.7')).toBe(0);
  });

  it('over HTTP', async () => {
    const { port } = door.gateway.httpAddress as { port: number };
    const request = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    for (const header of [Buffer.from(line), binary]) {
      const bytes = Buffer.concat([header, Buffer.from(request)]);
      expect((await openSocket(port, bytes, '127.0.0.50').closed).toString()).toMatch(/^(HTTP\/1\.1 400|$)/);
      expect((await openSocket(port, bytes, proxy).closed).toString()).toMatch(/^HTTP\/1\.1 200/);
    }
  });
});

describe('a listed proxy', () => {
  it.each([
    ['version 1', Buffer.from(line)],
    ['version 2', binary],
    ['version 1 that knows nothing', Buffer.from('PROXY UNKNOWN\r\n')],
    ['LOCAL', binaryHeader({ source: '198.51.100.7', local: '198.51.100.1', ports: [1, 2], command: 0 })],
  ])('is served, %s: in one piece with the version line, and byte by byte', async (_what, header) => {
    expect(await greeting(Buffer.concat([header, Buffer.from('SSH-2.0-x\r\n')]))).toMatch(/^SSH-2\.0-/);
    const { socket, closed } = openSocket(door.port, '', proxy);
    socket.setNoDelay(true);
    socket.once('data', () => socket.destroySoon());
    for (const byte of header) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await closed).toString()).toMatch(/^SSH-2\.0-/);
  });

  it.each([
    ['no header', 'SSH-2.0-x\r\n'],
    ['half of one and another protocol', 'PROXY TCP4 SSH-2.0-x\r\n'],
    ['a line without end', `PROXY TCP4 ${'1'.repeat(500)}`],
    ['an address that is none', 'PROXY TCP4 localhost 198.51.100.1 1 2\r\n'],
    ['a hostile one', 'PROXY TCP4 198.51.100.7\u001b[2J 198.51.100.1 1 2\r\n'],
  ])('that sends %s is hung up on without a word', async (_what, text) => {
    expect(await openSocket(door.port, text, proxy).closed).toHaveLength(0);
  });

  it('that says nothing, or not all, is hung up on after five seconds', async () => {
    const startedAt = Date.now();
    const { port } = door.gateway.httpAddress as { port: number };
    const silent = [
      openSocket(door.port, '', proxy),
      openSocket(door.port, binary.subarray(0, 20), proxy),
      openSocket(port, 'PROXY ', proxy),
    ];
    expect(await Promise.all(silent.map(({ closed }) => closed.then(String)))).toEqual(['', '', '']);
    expect(Date.now() - startedAt).toBeGreaterThan(4_500);
  });

  it('second-header: one behind the first is no header any more', async () => {
    const second = 'PROXY TCP4 198.51.100.8 198.51.100.1 1 2\r\n';
    const before = closedFrom('198.51.100.7');
    await greeting(`${line}${second}SSH-2.0-x\r\n`);
    await expect.poll(() => closedFrom('198.51.100.7')).toBe(before + 1);
    expect(closedFrom('198.51.100.8')).toBe(0);
  });

  it('that looks every moment whether the gateway is there (LOCAL) earns nothing by it', async () => {
    const local = binaryHeader({ source: '198.51.100.7', local: '198.51.100.1', ports: [1, 2], command: 0 });
    const before = closedFrom(proxy);
    const check = Buffer.concat([local, Buffer.from('SSH-2.0-check\r\n')]);
    for (let count = 0; count < 20; count++) expect(await greeting(check)).toMatch(/^SSH-2\.0-/);
    await expect.poll(() => closedFrom(proxy)).toBe(before + 20);
    expect(await greeting(check)).toMatch(/^SSH-2\.0-/);
    expect(door.logged().filter((each) => each['audit'] === 'source-penalised')).toEqual([]);
  });

  it('whose header is awaited does not keep the gateway from stopping', async () => {
    const other = await startApi({ config: { proxyProtocolFrom: [proxy] } });
    const pending = [
      openSocket(other.port, '', proxy),
      openSocket(other.gateway.httpAddress?.port as number, 'PROXY ', proxy),
    ];
    await Promise.all(pending.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))));
    const startedAt = Date.now();
    await other.stop();
    await Promise.all(pending.map(({ closed }) => closed));
    expect(Date.now() - startedAt).toBeLessThan(4_000);
  });
});
