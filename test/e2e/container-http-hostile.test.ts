/** Requests and answers that two readers might read in two ways, and servers that speak no HTTP. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docker, type TestContainer } from '../support/containers.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { lines, openRaw } from '../support/raw-http.ts';
import { makeKeyPair } from '../support/ssh-client.ts';
import { askWeb, signFor, startWebContainer } from '../support/web-container.ts';

let api: Api;
let raw: TestContainer;
let token: string;

beforeAll(async () => {
  [api, raw] = await Promise.all([
    startApi(),
    startWebContainer({ kind: 'serve-raw', port: 9000, options: ['--label', 'rexec.http.port=9000'] }),
  ]);
  token = await api.apiKey(`--vm=${raw.name}`);
});
afterAll(async () => {
  await api?.stop();
  await raw?.remove();
});

async function answerWith(bytes: string) {
  const file = join(tmpdir(), `postern-answer-${process.pid}`);
  writeFileSync(file, bytes, 'latin1');
  await docker('cp', file, `${raw.name}:/answer`);
  await raw.sh(': > /asked');
}
const asked = () => raw.sh('cat /asked');
const host = () => `Host: ${raw.name}.gw.example`;
const authorization = () => `Authorization: Bearer ${token}`;
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** The status of the answer to each of `count` requests that came in one go. */
async function statuses(bytes: string, count = 1): Promise<string[]> {
  const connection = await openRaw(api, bytes);
  const text = await connection.until(new RegExp(`(HTTP/1\\.1 \\d{3}[\\s\\S]*){${count}}`));
  connection.socket.destroy();
  return [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status as string);
}

describe('request-smuggling', () => {
  const behind = lines('GET /smuggled HTTP/1.1', 'Host: x', 'X-ExeDev-UserID: forged');

  it.each([
    ['both a length and chunks', ['Content-Length: 6', 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['two lengths', ['Content-Length: 0', 'Content-Length: 40'], ''],
    ['a length that is none', ['Content-Length: 0x10'], ''],
    ['a signed length', ['Content-Length: +0'], ''],
    ['another coding', ['Transfer-Encoding: xchunked'], '0\r\n\r\n'],
    ['two codings', ['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n'],
    ['chunks twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['a blank before the colon', ['Transfer-Encoding : chunked'], '0\r\n\r\n'],
    ['a folded header', ['Transfer-Encoding:', ' chunked'], '0\r\n\r\n'],
    ['a folded value', ['X-A: b', '\tcontinued'], ''],
    ['a chunk size that is none', ['Transfer-Encoding: chunked'], '0x0\r\n\r\n'],
    ['a bare carriage return', ['X-A: b\rTransfer-Encoding: chunked'], '0\r\n\r\n'],
    ['a zero byte', ['X-A: b\0c'], ''],
  ])('%s: nothing of it reaches the container', async (_what, headers, body) => {
    await answerWith(ok);
    const [first] = await statuses(
      lines('POST / HTTP/1.1', host(), authorization(), ...headers) + body + behind,
    );
    expect(first).toBe('400');
    expect(await asked()).toBe('');
  });

  it('two-hosts: more than one Host is refused, whichever comes first', async () => {
    await answerWith(ok);
    for (const pair of [
      [host(), 'Host: gw.example'],
      ['Host: gw.example', host()],
    ]) {
      expect(await statuses(lines('GET / HTTP/1.1', ...pair, authorization()))).toEqual(['400']);
    }
    expect(await asked()).toBe('');
  });

  it('two-hosts: a URL with another host than Host is refused', async () => {
    await answerWith(ok);
    expect(await statuses(lines('GET http://gw.example/ HTTP/1.1', host(), authorization()))).toEqual([
      '400',
    ]);
    expect(await asked()).toBe('');
  });

  it('what follows a request on its connection is a request of its own, with its own token', async () => {
    await answerWith(ok);
    const first = lines('GET /first HTTP/1.1', host(), authorization());
    const second = lines('GET /smuggled HTTP/1.1', host(), 'X-ExeDev-UserID: forged');
    expect(await statuses(first + second, 2)).toEqual(['200', '401']);
    expect(await asked()).not.toContain('smuggled');
  });

  it.each([250, 990, 1_100])(
    'hidden-length: a length after %i headers, of which the parser keeps but so many, is refused',
    async (count) => {
      await answerWith(ok);
      const many = Array.from({ length: count }, () => 'a: ');
      const request = lines(
        'POST / HTTP/1.1',
        host(),
        authorization(),
        ...many,
        `Content-Length: ${behind.length}`,
      );
      const [status] = await statuses(request + behind);
      expect(['400', '431']).toContain(status);
      expect(await asked()).toBe('');
    },
  );

  it('the length goes on as one header, and the request ends its connection', async () => {
    await answerWith(ok);
    const request = lines(
      'POST / HTTP/1.1',
      host(),
      authorization(),
      'Content-Length: 2',
      'content_length: 99',
    );
    expect(await statuses(`${request}hi`)).toEqual(['200']);
    // It answers as soon as it has read anything.
    await expect.poll(asked).toMatch(/hi$/);
    const seen = await asked();
    expect(seen.match(/content.length/gi)).toEqual(['Content-Length']);
    expect(seen).toMatch(/Connection: close\r?\n/);
    expect(seen).toMatch(/\r?\n\r?\nhi$/);
  });
});

describe('a container whose answer is not sound', () => {
  it.each([
    ['nothing', ''],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['half a head', 'HTTP/1.1 200 OK\r\nContent-'],
    ['a header without a colon', 'HTTP/1.1 200 OK\r\nbroken\r\n\r\n'],
    ['a header with a zero byte', 'HTTP/1.1 200 OK\r\nX-A: b\0c\r\n\r\n'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'],
    ['a head without end', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(200_000)}\r\n\r\n`],
    [
      'another protocol unasked',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhi',
    ],
    ['a status that is none', 'HTTP/1.1 2x0 OK\r\n\r\n'],
  ])('%s: 502, with one sentence', async (_what, bytes) => {
    await answerWith(bytes);
    const { code, body } = await askWeb(api, raw.name, '/', { token });
    expect(code).toBe(502);
    expect(JSON.parse(body)).toMatchObject({ code: 'web-failed', error: expect.stringContaining(raw.name) });
  });

  it('response-splitting: what follows the answer is no answer to the next request', async () => {
    await answerWith(`${ok}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged`);
    const request = lines('GET / HTTP/1.1', host(), authorization());
    const connection = await openRaw(api, request + request);
    expect(await connection.until(/ok[\s\S]*ok/)).not.toContain('forged');
    connection.socket.destroy();
  });

  it('an answer that ends with its connection passes whole', async () => {
    await answerWith('HTTP/1.0 200 OK\r\n\r\nold school');
    expect((await askWeb(api, raw.name, '/', { token })).body).toBe('old school');
  });
});

describe('where the web server is', () => {
  it('a label that is no port: 502', async () => {
    const wrong = await startWebContainer({ port: 8080, options: ['--label', 'rexec.http.port=99999'] });
    const theirs = await api.apiKey(`--vm=${wrong.name}`);
    const { code, body } = await askWeb(api, wrong.name, '/', { token: theirs });
    expect([code, JSON.parse(body).code]).toEqual([502, 'web-port-invalid']);
    await wrong.remove();
  });

  it('the only exposed port comes before the usual ones', async () => {
    const exposing = await startWebContainer({ port: 7000, options: ['--expose', '7000'] });
    const theirs = await api.apiKey(`--vm=${exposing.name}`);
    expect((await askWeb(api, exposing.name, '/echo', { token: theirs })).code).toBe(200);
    await exposing.remove();
  });

  it('on no network: 502; on the host’s: nobody but an admin, and no loopback of ours', async () => {
    for (const network of ['none', 'host']) {
      const lonely = await startWebContainer({ port: 18_080, options: ['--network', network] });
      const theirs = await api.apiKey(`--vm=${lonely.name}`);
      const { code, body } = await askWeb(api, lonely.name, '/', { token: theirs });
      expect([code, JSON.parse(body).code]).toEqual([502, 'web-no-address']);
      await lonely.remove();
    }
  });
});

describe('a key that may not forward', () => {
  async function withKey(option: string) {
    const key = await makeKeyPair();
    const line = `${option.replace('NAME', raw.name)} ${key.publicKey}`;
    const added = await api.ssh(`ssh-key add --name=${key.fingerprint.replace(/\W/g, '').slice(0, 20)}`, {
      stdin: line,
    });
    expect(added.stderr).toBe('');
    const theirs = await signFor(api, raw.name, key, '{}');
    const { code, body } = await askWeb(api, raw.name, '/', { token: theirs });
    return { code, failure: code === 200 ? undefined : (JSON.parse(body) as { code: string }).code };
  }

  it.each([
    ['command="true"', 'forced-command-only'],
    ['no-port-forwarding', 'web-refused'],
    ['permitopen="other:22"', 'web-refused'],
    ['permitopen="NAME:22"', 'web-refused'],
  ])('%s: 403', async (option, expected) => {
    const { code, failure } = await withKey(option);
    expect([code, failure]).toEqual([403, expected]);
  });

  it('permitopen= that names container and port lets it through', async () => {
    await answerWith(ok);
    expect((await withKey('permitopen="NAME:9000"')).code).toBe(200);
  });
});
