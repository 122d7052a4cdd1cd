/** NAME.DOMAIN for containers of a registered engine: the same as for those of the configuration's, by way of a sidecar. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { createEngineProxy } from '../support/engine-proxy.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { lines, openRaw, requestHead } from '../support/raw-http.ts';
import { askWeb, signFor, startWebContainer } from '../support/web-container.ts';

let folder: string;
let api: Api;
let web: TestContainer;
let bare: TestContainer;
let token: string;
let name: string;
const proxy = createEngineProxy();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-web-engine-'));
  const socket = join(folder, 'docker.sock');
  await proxy.listen(socket);
  [api, web, bare] = await Promise.all([
    startApi({ config: { docker: 'unix:///nowhere/docker.sock' } }),
    startWebContainer(),
    runContainer(images.busybox, ['--network=none']),
  ]);
  expect((await api.ssh(`engine add lab unix://${socket}`)).status).toBe(0);
  name = `${web.name}.lab`;
  token = await api.apiKey(`--vm=${name}`);
});
afterAll(async () => {
  await api?.stop();
  await Promise.all([web?.remove(), bare?.remove()]);
  await proxy.vanish();
  await rm(folder, { recursive: true, force: true });
});

const codeOf = ({ body }: { body: string }) => (JSON.parse(body) as { code: string }).code;

describe('a request with a token for NAME.ENGINE', () => {
  it('reaches its web server, with all of its body', async () => {
    const body = Buffer.alloc(3_000_000, 'x');
    const args = ['-X', 'PUT', '--data-binary', '@-'];
    const answer = await askWeb(api, name, '/echo?a=b', { token, args, stdin: body });
    expect(answer.code, answer.body).toBe(200);
    const sha256 = createHash('sha256').update(body).digest('hex');
    expect(JSON.parse(answer.body)).toMatchObject({ url: '/echo?a=b', body: { bytes: 3_000_000, sha256 } });
  });

  it('is what --vm=NAME makes where no other engine has that', async () => {
    const made = await api.apiKey(`--vm=${web.name}`);
    expect((await askWeb(api, name, '/echo', { token: made })).code).toBe(200);
    const elsewhere = await askWeb(api, web.name, '/echo', { token: made });
    expect([elsewhere.code, codeOf(elsewhere)]).toEqual([403, 'token-elsewhere']);
  });

  it('is a session in the list while it is open, with what it has carried', async () => {
    const { body } = await askWeb(api, name, '/echo', { token, args: ['-d', 'carried'] });
    const audit = JSON.parse((await api.ssh('audit --event=session-ended --limit=1 --json')).text) as {
      events: { target: string; bytesIn: number; bytesOut: number }[];
    };
    const [last] = audit.events;
    expect(last?.target).toBe(`lab/${web.name}`);
    expect(last?.bytesIn).toBeGreaterThan('carried'.length);
    expect(last?.bytesOut).toBeGreaterThan(body.length);
  });

  it('becomes a WebSocket where both agree: every byte passes, both ways', async () => {
    const head = [
      ...requestHead(name, token, '/raw'),
      ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ];
    const socket = await openRaw(api, lines(...head));
    const answer = await socket.until(/\r\n\r\n/);
    expect(answer).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    const bytes = Buffer.from(
      Array.from({ length: 2 * 1024 * 1024 }, (_, index) => (index * 31 + (index >> 8)) & 255),
    );
    socket.socket.write(bytes);
    await expect.poll(() => socket.received().length, { timeout: 20_000 }).toBe(answer.length + bytes.length);
    expect(Buffer.from(socket.received().slice(answer.length), 'latin1').equals(bytes)).toBe(true);
    socket.socket.destroy();
  });
});

describe('what does not lead there', () => {
  it('engine-takes-over: a token that was signed for NAME, whose engine is the configuration’s', async () => {
    const signed = await signFor(api, web.name, api.admin, '{}');
    const answer = await askWeb(api, web.name, '/echo', { token: signed });
    expect([answer.code, codeOf(answer)]).toEqual([403, 'container-refused']);
  });

  it('a token for another container', async () => {
    const answer = await askWeb(api, `${bare.name}.lab`, '/', { token });
    expect([answer.code, codeOf(answer)]).toEqual([403, 'token-elsewhere']);
  });

  it('a container without a network', async () => {
    const theirs = await api.apiKey(`--vm=${bare.name}.lab`);
    const answer = await askWeb(api, `${bare.name}.lab`, '/', { token: theirs });
    expect([answer.code, codeOf(answer)]).toEqual([502, 'web-no-address']);
  });

  it('a container in which nothing listens', async () => {
    const closed = await runContainer(images.busybox, []);
    const theirs = await api.apiKey(`--vm=${closed.name}.lab`);
    const answer = await askWeb(api, `${closed.name}.lab`, '/', { token: theirs });
    await closed.remove();
    expect([answer.code, codeOf(answer)]).toEqual([502, 'web-port-closed']);
  });
});
