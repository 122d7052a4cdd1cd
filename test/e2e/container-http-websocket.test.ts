/** WebSockets pass byte for byte after a handshake that both sides have agreed to. */
import dns, { type LookupAddress } from 'node:dns';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { TestContainer } from '../support/containers.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { lines, openRaw, requestHead } from '../support/raw-http.ts';
import { askWeb, startWebContainer } from '../support/web-container.ts';

let api: Api;
let web: TestContainer;
let token: string;

beforeAll(async () => {
  [api, web] = await Promise.all([startApi(), startWebContainer()]);
  token = await api.apiKey(`--vm=${web.name}`);
});
afterAll(async () => {
  await api?.stop();
  await web?.remove();
});

const handshake = (path: string, ...more: readonly string[]) => [
  ...requestHead(web.name, token, path),
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ...more,
];
const open = (path: string, ...more: readonly string[]) => openRaw(api, lines(...handshake(path, ...more)));

/** Node's takes headers too, which its types do not say. */
const NodeWebSocket = WebSocket as new (
  url: string,
  options: { readonly headers: Readonly<Record<string, string>> },
) => WebSocket;

it('the WebSocket of Node speaks to the server in the container', async () => {
  // It takes no address beside the name, as curl does with --resolve.
  const toLoopback = (
    _name: string,
    _options: unknown,
    done: (error: null, found: LookupAddress[]) => void,
  ) => done(null, [{ address: '127.0.0.1', family: 4 }]);
  const resolving = vi.spyOn(dns, 'lookup').mockImplementation(toLoopback as never);
  onTestFinished(() => resolving.mockRestore());
  const url = `ws://${web.name}.gw.example:${api.gateway.httpAddress?.port}/ws`;
  const headers = { authorization: `Bearer ${token}` };
  const said: unknown[] = [];
  await new Promise<void>((resolve, reject) => {
    const socket = new NodeWebSocket(url, { headers });
    socket.addEventListener('open', () => socket.send('hello'));
    socket.addEventListener('message', ({ data }) => {
      said.push(data);
      if (said.length < 3) socket.send(`again ${said.length}`);
      else socket.close();
    });
    socket.addEventListener('close', () => resolve());
    socket.addEventListener('error', () => reject(new Error('the WebSocket failed')));
  });
  expect(said).toEqual(['hello', 'again 1', 'again 2']);
});

describe('what passes', () => {
  it('is every byte, both ways, whatever it is, and none of the token', async () => {
    const socket = await open('/raw', 'X-ExeDev-UserID: forged');
    const head = await socket.until(/\r\n\r\n/);
    expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(head).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    expect(head).toMatch(/X-Account: [a-z2-7]{16}\r\n/);
    expect(head).toContain('X-Authorization: none');
    const bytes = Buffer.from(
      Array.from({ length: 4 * 1024 * 1024 }, (_, index) => (index * 31 + (index >> 8)) & 255),
    );
    socket.socket.write(bytes);
    const until = Date.now() + 20_000;
    while (socket.received().length < head.length + bytes.length && Date.now() < until) await pause(20);
    expect(Buffer.from(socket.received().slice(head.length), 'latin1').equals(bytes)).toBe(true);
    socket.socket.destroy();
  });

  it('includes what the client sent right behind its handshake', async () => {
    const socket = await openRaw(api, `${lines(...handshake('/raw'))}early`);
    await socket.until(/\r\n\r\nearly$/);
    socket.socket.destroy();
  });
});

describe('it ends', () => {
  const hungUp = async () => Number((await askWeb(api, web.name, '/hung-up', { token })).body);

  it('in the container when the client is gone', async () => {
    const before = await hungUp();
    const socket = await open('/raw');
    await socket.until(/101/);
    socket.socket.destroy();
    for (let tries = 50; tries > 0 && (await hungUp()) === before; tries--) await pause(100);
    expect(await hungUp()).toBeGreaterThan(before);
  });

  it('within a second of the removal of its key', async () => {
    const theirs = await api.apiKey(`--vm=${web.name} --label=removed`);
    const asked = lines(...handshake('/raw')).replace(token, theirs);
    const socket = await openRaw(api, asked);
    await socket.until(/101/);
    await api.ssh('ssh-key remove removed');
    await socket.closed(1_000);
  });

  it('when the gateway stops', async () => {
    const own = await startApi();
    const theirs = await own.apiKey(`--vm=${web.name}`);
    const socket = await openRaw(own, lines(...handshake('/raw')).replace(token, theirs));
    await socket.until(/101/);
    await own.stop();
    await socket.closed(1_000);
  });
});

describe('what is no agreed handshake', () => {
  it('without a token is answered with 401', async () => {
    const asked = handshake('/ws').filter((line) => !line.startsWith('Authorization'));
    expect(await (await openRaw(api, lines(...asked))).closed()).toMatch(
      /^HTTP\/1\.1 401 .*\r\n[\s\S]*container-unauthorized/,
    );
  });

  it('is passed back as the container refused it', async () => {
    const text = await (await open('/elsewhere')).closed();
    expect(text).toMatch(/^HTTP\/1\.1 426 Upgrade Required/);
    expect(text).toContain('/elsewhere is no WebSocket');
  });

  it('websocket-smuggling: bytes behind a handshake that was refused are no request of anybody’s', async () => {
    const second = lines('GET /echo HTTP/1.1', 'Host: x', 'X-ExeDev-UserID: forged');
    const socket = await openRaw(api, lines(...handshake('/elsewhere')) + second);
    socket.socket.write(second);
    const text = await socket.closed();
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(text).not.toContain('forged');
  });

  it('websocket-smuggling: a 101 for another handshake is not believed', async () => {
    expect(await (await open('/ws-wrong')).closed()).toMatch(/^HTTP\/1\.1 502 [\s\S]*web-failed/);
  });

  it.each([
    ['with a body', ['Content-Length: 5']],
    ['with chunks', ['Transfer-Encoding: chunked']],
  ])('%s is refused', async (_what, more) => {
    expect(await (await open('/ws', ...more)).closed()).toMatch(/^HTTP\/1\.1 400/);
  });

  it('h2c is not offered: the request itself is answered', async () => {
    const asked = handshake('/echo').map((line) => (line.startsWith('Upgrade') ? 'Upgrade: h2c' : line));
    const answer = await openRaw(api, lines(...asked, 'HTTP2-Settings: AAMAAABkAAQAAP__'));
    const text = await answer.until(/"method":"GET"/);
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    expect(text).not.toMatch(/h2c|HTTP2-Settings/);
    answer.socket.destroy();
  });
});
