/** HTTP by hand against POST /exec: what must end one connection, and nothing else. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { lines, openRaw } from '../support/raw-http.ts';

let api: Api;
let web: TestContainer;
let token: string;
beforeAll(async () => {
  [api, web] = await Promise.all([
    startApi({ config: { tokenRatePerSecond: 1000, tokenRateBurst: 2000, execTimeoutMs: 2_000 } }),
    runContainer(images.busybox),
  ]);
  token = await api.apiKey('--cmds="ssh,ls,whoami"');
});
afterAll(async () => {
  await Promise.all([api.stop(), web.remove()]);
});

const post = (line: string, version = '1.1', headers: readonly string[] = []) =>
  lines(
    `POST /exec HTTP/${version}`,
    'Host: gw.example',
    ...headers,
    `Authorization: Bearer ${token}`,
    `Content-Length: ${Buffer.byteLength(line)}`,
  ) + line;

const isServed = async () => expect((await api.ask({ token, line: 'whoami' })).status).toBe(200);

describe('upgrade-behind-a-request', () => {
  const upgrade = lines(
    'GET / HTTP/1.1',
    'Host: web.gw.example',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  );

  it('of a stranger, whose first request has no answer yet, ends that connection and not the gateway', async () => {
    const connection = await openRaw(api, lines('GET /healthz HTTP/1.1', 'Host: x') + upgrade);
    expect(await connection.closed()).not.toContain('101');
    await isServed();
  });

  it('of somebody whose program runs ends the program', async () => {
    const connection = await openRaw(api, post(`ssh ${web.name} echo begun; exec sleep 4711`));
    await connection.until(/begun/);
    connection.socket.write(upgrade);
    await connection.closed();
    await expect.poll(() => web.sh('ps'), { timeout: 10_000 }).not.toContain('sleep 4711');
    await isServed();
  });
});

describe('http-1.0', () => {
  it('takes the output of a program, and no trailer, which it does not have', async () => {
    const connection = await openRaw(api, post(`ssh ${web.name} echo out; exit 3`, '1.0'));
    const answer = await connection.closed();
    expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nout\n$/);
    expect(answer).not.toMatch(/trailer/i);
    await isServed();
  });

  it('has the exit status as a header where there was no output', async () => {
    const connection = await openRaw(api, post(`ssh ${web.name} exit 5`, '1.0'));
    expect(await connection.closed()).toMatch(/x-exe-exit: 5\r\n/i);
  });
});

describe('garbage-behind-a-request', () => {
  it('adds nothing to an answer that has begun, and ends the connection', async () => {
    const connection = await openRaw(api, post(`ssh ${web.name} echo begun; sleep 3; echo end`));
    await connection.until(/begun/);
    connection.socket.write('\0garbage\r\n\r\n');
    const answer = await connection.closed();
    expect(answer).not.toContain('malformed-request');
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('is not what answers a request that was sound', async () => {
    const connection = await openRaw(api, post(`ssh ${web.name} sleep 2`));
    connection.socket.write('\0garbage\r\n\r\n');
    expect(await connection.closed()).not.toContain('malformed-request');
  });

  it('alone is answered with a sentence, and so is a body that breaks off into it', async () => {
    for (const bytes of [
      '\0garbage\r\n\r\n',
      `${lines('POST /exec HTTP/1.1', 'Host: x', `Authorization: Bearer ${token}`, 'Transfer-Encoding: chunked')}ZZ\r\n`,
    ]) {
      const connection = await openRaw(api, bytes);
      expect(await connection.closed()).toMatch(/^HTTP\/1\.1 400 [\s\S]*malformed-request/);
    }
  });
});

describe('pipelining', () => {
  it('of a thousand requests ends the connection after a few: each answer would be kept', async () => {
    const connection = await openRaw(api, lines('GET /openapi.json HTTP/1.1', 'Host: x').repeat(1_000));
    const answers = (await connection.closed()).match(/HTTP\/1\.1 200/g) ?? [];
    expect(answers.length).toBeLessThan(100);
    await isServed();
  });

  it('of a few is answered in their order', async () => {
    const connection = await openRaw(api, post('whoami') + post('nonsense') + post('ls'));
    const text = await connection.until(/(HTTP\/1\.1 \d{3}[\s\S]*){3}/);
    expect([...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status)).toEqual([
      '200',
      '404',
      '200',
    ]);
    connection.socket.destroy();
  });
});

describe('json-hoard', () => {
  const hoard = () =>
    api.ask({
      token,
      line: `ssh ${web.name} head -c 4000000 /dev/zero; until [ -e /tmp/all-asked ]; do sleep 0.1; done`,
      args: ['-H', 'Accept: application/json'],
    });

  it('many outputs collected at once are bounded for each account, and given back', async () => {
    let answered = 0;
    const asked = Array.from({ length: 6 }, () => hoard().finally(() => answered++));
    // Those for which there is room go on until all have been asked for.
    await expect.poll(() => answered).toBe(2);
    await web.sh('touch /tmp/all-asked');
    const answers = await Promise.all(asked);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 422, 422]);
    expect((await hoard()).status).toBe(200);
  });
});

/** Whether the connection is open at the end that has `port`. */
async function isEstablished(port: number, clientPort: number): Promise<boolean> {
  const hex = (number: number) => number.toString(16).toUpperCase().padStart(4, '0');
  const ends = `0100007F:${hex(port)} 0100007F:${hex(clientPort)} 01 `;
  return (await readFile('/proc/net/tcp', 'utf8')).includes(ends);
}

describe('unread-answer', () => {
  it('of one who does not read on is not kept for ever', async () => {
    const zeros = post(`ssh ${web.name} head -c 3000000 /dev/zero`, '1.1', ['Accept: application/json']);
    const connection = await openRaw(api, '');
    connection.socket.pause();
    await once(connection.socket, 'connect');
    connection.socket.write(zeros);
    // Since it reads nothing, only the kernel can tell that the other end was closed.
    const { localPort = 0 } = connection.socket;
    const port = api.gateway.httpAddress?.port ?? 0;
    await expect.poll(() => isEstablished(port, localPort), { timeout: 20_000 }).toBe(false);
    connection.socket.resume();
    expect((await connection.closed()).length).toBeLessThan(18_000_000);
  });

  it('of one who reads on and then asks again is all there', async () => {
    const connection = await openRaw(api, post('whoami'));
    await connection.until(/"account":"admin"/);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    connection.socket.write(post('ls'));
    await connection.until(/HTTP\/1\.1 200[\s\S]*HTTP\/1\.1 200/);
    connection.socket.destroy();
  });
});
