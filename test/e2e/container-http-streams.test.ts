/** Bodies pass as they come, both ways, at the slower side's pace. */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestContainer } from '../support/containers.ts';
import { heldMib } from '../support/held-memory.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { lines, openRaw, requestHead } from '../support/raw-http.ts';
import { askWeb, startWebContainer } from '../support/web-container.ts';

let api: Api;
let web: TestContainer;
let token: string;

beforeAll(async () => {
  [api, web] = await Promise.all([startApi({}), startWebContainer()]);
  token = await api.apiKey(`--vm=${web.name}`);
});
afterAll(async () => {
  await api?.stop();
  await web?.remove();
});

const headOf = (path: string, bearer = token, method = 'GET') => requestHead(web.name, bearer, path, method);

describe('the answer', () => {
  it('an event stream arrives event by event', async () => {
    const events = await openRaw(api, lines(...headOf('/events')));
    await events.until(/text\/event-stream/i);
    await events.until(/data: 2\n\n/);
    // Ten seconds of them: who collects them first would wait for longer, and who has to wait for the machine does not.
    expect(events.received()).not.toContain('data: 100\n');
    events.socket.destroy();
  });

  it('64 MiB arrive whole, and a reader that stops makes the gateway hold next to nothing', async () => {
    const stalled = await openRaw(api, lines(...headOf('/zeros?mib=512')));
    await stalled.until(/200 OK/);
    stalled.socket.pause();
    const before = heldMib();
    const all = await askWeb(api, web.name, '/zeros?mib=64', {
      token,
      args: ['-o', '/dev/null', '-w', '%{size_download}'],
    });
    expect(all.text).toBe(String(64 * 1024 * 1024));
    expect(heldMib() - before).toBeLessThan(32);
    stalled.socket.destroy();
  });

  it('trailers pass, but for those in our name', async () => {
    const answer = await openRaw(api, lines(...headOf('/trailers'), 'Connection: close'));
    const text = await answer.closed();
    expect(text).toContain('X-Sum: good');
    expect(text).not.toContain('forged');
  });

  it('headers for one hop stay where they are; others pass, each as often as it came', async () => {
    const { head, body } = await askWeb(api, web.name, '/hop-by-hop', { token });
    expect(head).toContain('200 Fine');
    expect(head).toContain('Set-Cookie: a=1\r\nSet-Cookie: b=2');
    expect(head).toContain('X-Kept: 1');
    expect(head).not.toContain('X-Hop');
    expect(body).toBe('ok');
  });

  it.each([204, 304, 200])('%i without a body has none, and the connection goes on', async (status) => {
    const connection = await openRaw(api, lines(...headOf(`/status?is=${status}`)));
    await connection.until(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*\r\n\r\n`));
    connection.socket.write(lines(...headOf('/echo')));
    expect(await connection.until(/"method":"GET"/)).toMatch(/\r\n\r\n(0\r\n\r\n)?HTTP\/1\.1 200/);
    connection.socket.destroy();
  });

  it('HEAD tells the length and sends nothing', async () => {
    const connection = await openRaw(api, lines(...headOf('/length', token, 'HEAD'), 'Connection: close'));
    expect(await connection.closed()).toMatch(/^HTTP\/1\.1 200 [\s\S]*content-length: 1000[\s\S]*\r\n\r\n$/i);
  });

  it('one that the container cuts short is seen to be short', async () => {
    const cut = await askWeb(api, web.name, '/cut', { token });
    expect(cut.body).toBe('only this');
    expect(cut.status).not.toBe(0);
  });

  it('whoever speaks HTTP/1.0 gets it without chunks', async () => {
    const [, ...rest] = headOf('/trailers');
    const connection = await openRaw(api, lines('GET /trailers HTTP/1.0', ...rest));
    expect(await connection.closed()).toMatch(/\r\n\r\nbody$/);
  });
});

describe('the body', () => {
  it('in chunks, from a program that makes it as it goes, arrives whole', async () => {
    const body = Buffer.alloc(5_000_000, 'chunk');
    const args = ['-T', '-', '-X', 'POST'];
    const { body: seen } = await askWeb(api, web.name, '/echo', { token, args, stdin: body });
    expect(JSON.parse(seen).body).toEqual({
      bytes: 5_000_000,
      sha256: createHash('sha256').update(body).digest('hex'),
    });
  });

  it('waits for a container that does not read it', async () => {
    const uploading = await openRaw(
      api,
      lines(...headOf('/silent', token, 'POST'), `Content-Length: ${1024 ** 3}`),
    );
    const chunk = Buffer.alloc(1024 * 1024);
    for (let quietMs = 0; quietMs < 500; ) {
      if (uploading.socket.writableLength > 0) {
        await pause(50);
        quietMs += 50;
      } else {
        quietMs = 0;
        uploading.socket.write(chunk);
      }
    }
    const sent = uploading.socket.bytesWritten - uploading.socket.writableLength;
    expect(sent).toBeLessThan(64 * 1024 * 1024);
    uploading.socket.destroy();
  });

  it('its trailers pass, but for those in our name', async () => {
    const chunked = lines(
      ...headOf('/echo', token, 'POST'),
      'Transfer-Encoding: chunked',
      'Connection: close',
    );
    const body = lines('2', 'hi', '0', 'X-Sum: good', 'X-ExeDev-UserID: forged', 'X_ExeDev_UserID: forged');
    const answer = await (await openRaw(api, chunked + body)).closed();
    expect(answer).toContain('"rawTrailers":["X-Sum","good"]');
    expect(answer).not.toContain('forged');
  });

  it('is not asked for before the container asks: Expect: 100-continue', async () => {
    const expecting = (path: string) => [
      ...headOf(path, token, 'POST'),
      'Expect: 100-continue',
      'Content-Length: 2',
    ];
    const willing = await openRaw(api, lines(...expecting('/echo')));
    await willing.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    willing.socket.write('hi');
    await willing.until(/"bytes":2/);
    const full = await openRaw(api, lines(...expecting('/full')));
    expect(await full.until(/too much/)).toMatch(/^HTTP\/1\.1 413/);
    const [, host] = expecting('/echo');
    const stranger = await openRaw(
      api,
      lines('POST / HTTP/1.1', host as string, 'Expect: 100-continue', 'Content-Length: 2'),
    );
    expect(await stranger.until(/container-unauthorized/)).toMatch(/^HTTP\/1\.1 401/);
    for (const { socket } of [willing, full, stranger]) socket.destroy();
  });

  it('endless-body: who is refused cannot go on sending', async () => {
    const refused = await openRaw(
      api,
      lines('POST / HTTP/1.1', `Host: ${web.name}.gw.example`, 'Content-Length: 1000000000'),
    );
    await refused.until(/401 Unauthorized[\s\S]*\}/);
    await refused.closed(10_000);
  });
});
