/** What is open into a container ends when somebody hangs up and when what it stands on does; it is counted, listed and audited. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestContainer } from '../support/containers.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { lines, openRaw, type RawConnection, requestHead } from '../support/raw-http.ts';
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

const headOf = (path: string, bearer = token) => requestHead(web.name, bearer, path);
const count = async (path: string) => Number((await askWeb(api, web.name, path, { token })).body);
const hungUp = () => count('/hung-up');
/** Asked for, and there. */
async function openSilent(bearer?: string): Promise<RawConnection> {
  const before = await count('/silent-so-far');
  const connection = await openRaw(api, lines(...headOf('/silent', bearer)));
  await expect.poll(() => count('/silent-so-far')).toBe(before + 1);
  return connection;
}
async function untilHungUp(before: number) {
  for (let tries = 50; tries > 0; tries--) {
    if ((await hungUp()) > before) return;
    await pause(100);
  }
  throw new Error('the container still thinks that somebody listens');
}

describe('an open stream ends', () => {
  it('in the container when the client hangs up, before the answer and after', async () => {
    for (const open of [() => stream(token), openSilent]) {
      const before = await hungUp();
      const connection = await open();
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
    const silent = await openSilent(theirs);
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
    const exp = Math.floor(Date.now() / 1000) + 6;
    const open = await stream(await signFor(api, web.name, api.admin, `{"exp":${exp}}`));
    const closedAt = open.closed(30_000).then(() => Date.now() / 1000);
    await pause(exp * 1000 - Date.now());
    // A timer comes late on a busy machine: the gateway's as this one, in the same process.
    const dueAt = Date.now() / 1000;
    expect((await closedAt) - dueAt).toBeLessThan(1);
    expect(exp - (await closedAt)).toBeLessThan(1);
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
  await expect.poll(async () => (await askWeb(api, web.name, '/echo', { token: theirs })).code).toBe(200);
});

it('what was reached, by whom and how it ended stands in the audit', async () => {
  await askWeb(api, web.name, `/echo?secret=1`, { token });
  await askWeb(api, web.name, `/${token}`, { token });
  const audited = () =>
    api.logged().filter(({ audit }) => audit === 'session-ended' || audit === 'session-started');
  expect(audited()).toContainEqual(
    expect.objectContaining({
      audit: 'session-started',
      account: 'admin',
      target: web.name,
      what: 'GET /echo',
    }),
  );
  await expect
    .poll(audited)
    .toContainEqual(
      expect.objectContaining({ audit: 'session-ended', target: web.name, end: { httpStatus: 200 } }),
    );
  expect(JSON.stringify(api.logged())).not.toContain(token);
  expect(JSON.stringify(api.logged())).not.toContain('secret=1');
});

it('drain-held-open: a connection that asks on and on is told that the next answer is the last', async () => {
  const draining = await startApi();
  const bearer = await draining.apiKey(`--vm=${web.name}`);
  const begun = requestHead(web.name, bearer, '/echo', 'POST');
  const asked = () => draining.logged().filter(({ audit }) => audit === 'session-started').length;
  const before = asked();
  const connection = await openRaw(draining, lines(...begun, 'Content-Length: 2'));
  await expect.poll(asked).toBe(before + 1);
  const drained = draining.gateway.drain();
  connection.socket.write(`ok${lines(...requestHead(web.name, bearer, '/echo')).repeat(2)}`);
  const [, first, second, ...others] = (await connection.closed()).split('HTTP/1.1 ');
  expect(first).toMatch(/^200 [\s\S]*\r\nConnection: keep-alive\r\n/);
  expect(second).toMatch(/^200 [\s\S]*\r\nConnection: close\r\n/);
  expect(others).toEqual([]);
  // What stands behind the last is not done either.
  expect(asked()).toBe(before + 2);
  connection.socket.destroy();
  await drained;
  await draining.stop();
});
