/** The HTTP listener: rates, TLS, health, what it refuses to start with, and how it closes. */
import { copyFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { runContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { temporaryFile } from '../support/gateway.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { makeCertificate } from '../support/tls-certificate.ts';

describe('the rate of a key', () => {
  // It goes on when it is told to: curl takes as long to start as a token to be there again.
  let nowMs = Date.now();
  const clock = { now: () => nowMs };
  let api: Api;
  beforeAll(async () => {
    const config = { tokenRatePerSecond: 0.5, tokenRateBurst: 3 };
    api = await startApi({ config, overrides: { clock } });
  });
  afterAll(() => api.stop());

  it('429 beyond the burst, with whole seconds to wait; the other keys of the account are not touched', async () => {
    const [token, other] = [await api.apiKey('--label=one'), await api.apiKey('--label=two')];
    const answers = [];
    for (let asked = 0; asked < 4; asked++) answers.push(await api.ask({ token, line: 'whoami' }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers[3]?.headers['retry-after']).toMatch(/^[12]$/);
    expect(answers[3]?.json()).toEqual({ error: expect.any(String), code: 'rate-limited' });
    const audited = api.logged().filter(({ reason }) => reason === 'rate-limited');
    expect(audited).toEqual([
      expect.objectContaining({
        audit: 'refused',
        account: 'admin',
        fingerprint: expect.any(String),
        byToken: true,
      }),
    ]);
    expect((await api.ask({ token: other, line: 'whoami' })).status).toBe(200);
    nowMs += 2_000;
    expect((await api.ask({ token, line: 'whoami' })).status).toBe(200);
  });

  it('rate-by-another-token: an exe0 and all exe1 of one key share it', async () => {
    const token = await api.apiKey('--label=three --cmds=exe0-to-exe1,whoami');
    const signed = await api.ask({ token, line: 'whoami' });
    expect(signed.status).toBe(200);
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async () => (await api.ask({ token, line: 'whoami' })).status),
    );
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(3);
  });
});

describe('TLS', () => {
  const servedName = (port: number) =>
    new Promise<string>((resolve, reject) => {
      const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.on('error', reject);
    });

  it('serves https, takes a renewed certificate up while it runs, and keeps the old one when the new is broken', async () => {
    const [first, second] = [await makeCertificate('first'), await makeCertificate('second')];
    const [tlsCert, tlsKey] = [await temporaryFile('c.pem', ''), await temporaryFile('k.pem', '')];
    const use = async ({ cert, key }: { cert: string; key: string }) => {
      await copyFile(cert, tlsCert);
      await copyFile(key, tlsKey);
    };
    await use(first);
    const api = await startApi({ config: { tlsCert, tlsKey } });
    try {
      const port = api.gateway.httpAddress?.port as number;
      const token = await api.apiKey();
      const asked = await api.ask({ token, line: 'whoami', args: ['--cacert', first.cert] });
      expect(asked.status).toBe(200);
      expect(await servedName(port)).toBe('first');
      await use(second);
      await expect.poll(() => servedName(port), { timeout: 10_000 }).toBe('second');
      await copyFile(first.key, tlsKey);
      await expect
        .poll(() => api.logged().map(({ msg }) => String(msg)), { timeout: 10_000 })
        .toContainEqual(expect.stringContaining('The certificate loaded before stays in use.'));
      expect(await servedName(port)).toBe('second');
    } finally {
      await api.stop();
    }
  });

  it('does not start with files that do not fit together, and says which', async () => {
    const [first, second] = [await makeCertificate('first'), await makeCertificate('second')];
    await expect(startApi({ config: { tlsCert: first.cert, tlsKey: second.key } })).rejects.toThrow(
      `the certificate ${first.cert} and the key ${second.key} cannot be used`,
    );
  });
});

describe('what it does not start with', () => {
  const load = (flags: Record<string, unknown>) => () => loadConfig({ env: {}, flags });

  it.each([
    [
      'token-in-clear: off loopback without TLS',
      { httpListen: '0.0.0.0:80', domain: 'a.example' },
      'in clear',
    ],
    ['an IPv6 address that is not loopback', { httpListen: '[::]:80', domain: 'a.example' }, 'in clear'],
    [
      'a name that looks like loopback',
      { httpListen: '127.evil.example:80', domain: 'a.example' },
      'in clear',
    ],
    [
      'everybody-is-localhost: off loopback without a name of its own',
      { httpListen: '0.0.0.0:80', httpInsecure: true },
      'every gateway called localhost takes the same tokens',
    ],
    ['a certificate without its key', { tlsCert: 'c.pem' }, 'TLS needs both'],
  ])('%s', (_what, flags, sentence) => {
    expect(load(flags)).toThrow(sentence);
  });

  it.each([{ httpListen: '127.0.0.1:80' }, { httpListen: '[::1]:80' }, { httpListen: 'localhost:80' }])(
    'but it does with %j',
    (flags) => {
      expect(load(flags)).not.toThrow();
    },
  );
});

describe('health', () => {
  it('has a listener of its own, which answers nothing else', async () => {
    const api = await startApi({ config: { healthListen: '127.0.0.1:0' } });
    try {
      const health = `http://127.0.0.1:${api.gateway.healthAddress?.port}`;
      const asked = async (path: string) => (await fetch(`${health}${path}`)).json() as Promise<object>;
      expect(await asked('/healthz')).toEqual({ status: 'ok', version: expect.any(String) });
      expect(await asked('/readyz')).toEqual({ status: 'ok', containers: 'available' });
      const exec = await fetch(`${health}/exec`, { method: 'POST', body: 'whoami' });
      expect(exec.status).not.toBe(401);
      expect(exec.ok).toBe(false);
    } finally {
      await api.stop();
    }
  });
});

describe('hostile clients', () => {
  let api: Api;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.stop());

  /** What the gateway answers to these bytes until it closes. */
  const send = (bytes: string | Buffer, waitMs = 20_000) =>
    new Promise<string>((resolve) => {
      const socket = connect(api.gateway.httpAddress?.port as number, '127.0.0.1', () => socket.write(bytes));
      let answer = '';
      socket.on('data', (chunk) => {
        answer += chunk;
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(answer));
      setTimeout(() => socket.destroy(), waitMs).unref();
    });

  it.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', '400'],
    [
      'two lengths (request smuggling)',
      'POST /exec HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nContent-Length: 7\r\n\r\nwhoami',
      '400',
    ],
    [
      'length and chunks (request smuggling)',
      'POST /exec HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '400',
    ],
    ['a header without end', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, '431'],
    ['a NUL in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n', '400'],
  ])('%s: one sentence in JSON, and the connection closes', async (_what, bytes, status) => {
    const answer = await send(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))).toEqual({
      error: expect.any(String),
      code: 'malformed-request',
    });
  });

  it('a token longer than any, or two of them, is no token', async () => {
    for (const headers of [
      `Authorization: Bearer exe0.${'a'.repeat(9_000)}`,
      'Authorization: Basic eDp5',
      'Authorization: Bearer',
      'Authorization: Bearer a b',
    ]) {
      const answer = await send(
        `POST /exec HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}\r\nContent-Length: 6\r\n\r\nwhoami`,
      );
      expect([headers.slice(0, 30), answer.slice(9, 12)]).toEqual([headers.slice(0, 30), '401']);
    }
  });

  it('slow-body: a body that never comes holds a connection for as long as a command may take', async () => {
    const short = await startApi({ config: { execTimeoutMs: 1_000 } });
    try {
      const token = await short.apiKey();
      const startedAt = Date.now();
      await new Promise<void>((resolve) => {
        const socket = connect(short.gateway.httpAddress?.port as number, '127.0.0.1', () =>
          socket.write(
            `POST /exec HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Length: 6\r\n\r\nwho`,
          ),
        );
        socket.resume();
        socket.on('error', () => {});
        socket.on('close', () => resolve());
      });
      expect(Date.now() - startedAt).toBeLessThan(10_000);
    } finally {
      await short.stop();
    }
  });
});

describe('closing', () => {
  it('what runs gets its end told before the gateway is gone', async () => {
    const [api, web] = await Promise.all([startApi(), runContainer(images.busybox)]);
    try {
      const token = await api.apiKey('--cmds=ssh');
      const streaming = api.ask({ token, line: `ssh ${web.name} echo begun; sleep 7654` });
      // The program itself, before which the shell has said that it begins.
      await expect.poll(() => web.sh('ps')).toMatch(/root +sleep 7654/);
      await api.stop();
      expect((await streaming).trailers).toEqual({ 'x-exe-exit': '255', 'x-exe-error': 'revoked' });
      await expect.poll(() => web.sh('ps')).not.toContain('sleep 7654');
    } finally {
      await web.remove();
    }
  });
});
