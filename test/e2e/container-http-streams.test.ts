/** Bodies pass as they come, both ways, at the slower side's pace, and end when what they stand on does. */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestContainer } from '../support/containers.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { lines, openRaw, type RawConnection } from '../support/raw-http.ts';
import { type KeyPair, makeKeyPair } from '../support/ssh-client.ts';
import { askWeb, signFor, startWebContainer } from '../support/web-container.ts';

let api: Api;
let web: TestContainer;
let token: string;

beforeAll(async () => {
  [api, web] = await Promise.all([startApi({ config: { maxSessionsPerAccount: 8 } }), startWebContainer()]);
  token = await api.apiKey(`--vm=${web.name}`);
});
afterAll(async () => {
  await api?.stop();
  await web?.remove();
});

const headOf = (path: string, bearer = token, method = 'GET') => [
  `${method} ${path} HTTP/1.1`,
  `Host: ${web.name}.gw.example`,
  `Authorization: Bearer ${bearer}`,
];
const hungUp = async () => Number((await askWeb(api, web.name, '/hung-up', { token })).body);
async function untilHungUp(before: number) {
  for (let tries = 50; tries > 0; tries--) {
    if ((await hungUp()) > before) return;
    await pause(100);
  }
  throw new Error('the container still thinks that somebody listens');
}

describe('the answer', () => {
  it('an event stream arrives event by event', async () => {
    const events = await openRaw(api, lines(...headOf('/events')));
    await events.until(/text\/event-stream/i, 2_000);
    await events.until(/data: 2\n\n/);
    expect(events.received()).not.toContain('data: 40');
    events.socket.destroy();
  });

  it('64 MiB arrive whole, and a reader that stops makes the gateway hold next to nothing', async () => {
    const stalled = await openRaw(api, lines(...headOf('/zeros?mib=512')));
    await stalled.until(/200 OK/);
    stalled.socket.pause();
    const before = process.memoryUsage().rss;
    const all = await askWeb(api, web.name, '/zeros?mib=64', {
      token,
      args: ['-o', '/dev/null', '-w', '%{size_download}'],
    });
    expect(all.text).toBe(String(64 * 1024 * 1024));
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
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
    await refused.closed(4_000);
  });
});

describe('an open stream ends', () => {
  it('in the container when the client hangs up, before the answer and after', async () => {
    for (const path of ['/events', '/silent']) {
      const before = await hungUp();
      const connection = await openRaw(api, lines(...headOf(path)));
      if (path === '/events') await connection.until(/data: 0/);
      else await pause(300);
      connection.socket.destroy();
      await untilHungUp(before);
    }
  });

  const stream = async (bearer: string): Promise<RawConnection> => {
    const connection = await openRaw(api, lines(...headOf('/events', bearer)));
    await connection.until(/data: 0/);
    return connection;
  };
  const member = async (name: string): Promise<[KeyPair, string]> => {
    const key = await makeKeyPair();
    await api.ssh(`account add ${name} ${key.publicKey}`);
    await api.ssh(`share add ${web.name} ${name}`);
    return [key, await signFor(api, web.name, key, '{}')];
  };

  it('within a second of the removal of its key', async () => {
    const theirs = await api.apiKey(`--vm=${web.name} --label=short-lived`);
    const open = await stream(theirs);
    await api.ssh('ssh-key remove short-lived');
    await open.closed(1_000);
    expect((await askWeb(api, web.name, '/echo', { token: theirs })).code).toBe(401);
  });

  it('within a second of the withdrawal of the grant, though the answer had not begun', async () => {
    const [, theirs] = await member('gina');
    const begun = await stream(theirs);
    const silent = await openRaw(api, lines(...headOf('/silent', theirs)));
    await pause(300);
    await api.ssh(`share remove ${web.name} gina`);
    await begun.closed(1_000);
    expect(await silent.until(/session-ended/, 1_000)).toMatch(/^HTTP\/1\.1 403/);
    silent.socket.destroy();
  });

  it('within a second of the disabling of the account', async () => {
    const [, theirs] = await member('dora');
    const open = await stream(theirs);
    await api.ssh('account disable dora');
    await open.closed(1_000);
  });

  it('within a second of a tag that is taken from the container', async () => {
    await api.ssh(`tag ${web.name} blue`);
    const key = await makeKeyPair();
    const added = await api.ssh('ssh-key add --tag=blue --name=blue', { stdin: key.publicKey });
    expect(added.stderr).toBe('');
    const open = await stream(await signFor(api, web.name, key, '{}'));
    await api.ssh(`tag ${web.name} --remove blue`);
    await open.closed(1_000);
  });

  it('at the exp of its token', async () => {
    const exp = Math.floor(Date.now() / 1000) + 3;
    const open = await stream(await signFor(api, web.name, api.admin, `{"exp":${exp}}`));
    await open.closed(4_000);
    expect(Math.abs(Date.now() / 1000 - exp)).toBeLessThan(1);
  });

  it('by session kill, which session list names it for', async () => {
    const open = await stream(token);
    const { sessions } = JSON.parse((await api.ssh('session list --json')).text) as {
      sessions: { id: string; what: string; target: string; bytes_out: number }[];
    };
    const listed = sessions.find(({ what }) => what === 'GET /events');
    expect(listed).toMatchObject({ target: web.name, bytes_out: expect.any(Number) });
    expect(listed?.bytes_out).toBeGreaterThan(0);
    await api.ssh(`session kill ${listed?.id}`);
    await open.closed(1_000);
  });
});

it('an account has no more of them open than its sessions, and gets them back', async () => {
  const key = await makeKeyPair();
  await api.ssh(`account add many ${key.publicKey}`);
  await api.ssh(`share add ${web.name} many`);
  const theirs = await signFor(api, web.name, key, '{}');
  const open = await Promise.all(
    Array.from({ length: 8 }, () => openRaw(api, lines(...headOf('/events', theirs)))),
  );
  await Promise.all(open.map(({ until }) => until(/data: 0/)));
  const { code, body } = await askWeb(api, web.name, '/echo', { token: theirs });
  expect({ code, ...JSON.parse(body) }).toMatchObject({ code: 'too-many-sessions' });
  expect(code).toBe(503);
  for (const { socket } of open) socket.destroy();
  await pause(300);
  expect((await askWeb(api, web.name, '/echo', { token: theirs })).code).toBe(200);
});

it('what was reached, by whom and how it ended stands in the audit', async () => {
  await askWeb(api, web.name, `/echo?secret=1`, { token });
  await askWeb(api, web.name, `/${token}`, { token });
  await pause(100);
  const audited = api
    .logged()
    .filter(({ audit }) => audit === 'session-ended' || audit === 'session-started');
  expect(audited).toContainEqual(
    expect.objectContaining({
      audit: 'session-started',
      account: 'admin',
      target: web.name,
      what: 'GET /echo',
    }),
  );
  expect(audited).toContainEqual(
    expect.objectContaining({ audit: 'session-ended', target: web.name, end: { httpStatus: 200 } }),
  );
  expect(JSON.stringify(api.logged())).not.toContain(token);
  expect(JSON.stringify(api.logged())).not.toContain('secret=1');
});
