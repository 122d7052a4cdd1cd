import { execFile } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { currentFile } from '../../src/audit/audit-files.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { main } from '../support/served.ts';
import { makeKeyPair } from '../support/ssh-client.ts';

const run = promisify(execFile);
const postern = (...args: string[]) =>
  run(process.execPath, [main, ...args]).then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ status: code as number, stdout, stderr }),
  );

let served: TestGateway;
beforeAll(async () => {
  served = await startTestGateway();
});
afterAll(() => served.stop());

const lines = async () =>
  (await readFile(currentFile(served.dataDir), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it('who logged in, what they ran and what was refused stand in DATA/audit, with key and source', async () => {
  const stranger = await makeKeyPair();
  await served.addMember('ada');
  await served.ssh('account list');
  expect((await served.ssh('whoami', { key: stranger })).status).toBe(255);
  const { fingerprint } = JSON.parse((await served.ssh('whoami --json')).text) as { fingerprint?: string };
  const events = async () => (await lines()).map(({ event }) => event);
  await expect
    .poll(events)
    .toEqual(expect.arrayContaining(['login-accepted', 'account-joined', 'command-run', 'session-ended']));
  const written = await lines();
  const login = written.find(({ event, account }) => event === 'login-accepted' && account === 'admin');
  expect(login).toMatchObject({ source: '127.0.0.1', connectionId: expect.any(String) });
  expect(login?.['fingerprint']).toMatch(/^SHA256:/);
  if (fingerprint !== undefined) expect(login?.['fingerprint']).toBe(fingerprint);
});

it('"audit" shows an admin what they ask for, by table and by JSON; members are refused', async () => {
  const bob = await served.addMember('bob');
  const asked = await served.ssh('audit --event=account-joined --json');
  const { events } = JSON.parse(asked.text) as { events: { account: string; seq: number }[] };
  expect(events.at(-1)).toMatchObject({ event: 'account-joined', account: 'bob' });
  const table = await served.ssh('audit --account=bob --since=1h --limit=5');
  expect(table.text).toMatch(/TIME +EVENT +ACCOUNT +FROM +DETAILS/);
  expect(table.text).toContain('bob');
  expect((await served.ssh('audit --since=yesterday')).stderr).toContain('an age like 12h');
  const refused = await served.ssh('audit', { key: bob });
  expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('is for admins only')]);
});

it('"postern audit verify" finds the chain whole beside the running gateway, and misses a hash that was cut off', async () => {
  const whole = await postern('audit', 'verify', '--data', served.dataDir);
  expect(whole.stdout).toContain('The chain is whole.');
  expect(whole.status).toBe(0);
  const hash = /last hash ([0-9a-f]{64})/.exec(whole.stdout)?.[1] as string;
  expect((await postern('audit', 'verify', '--data', served.dataDir, '--expect', hash)).status).toBe(0);
  const missing = await postern('audit', 'verify', '--data', served.dataDir, '--expect', 'f'.repeat(64));
  expect([missing.status, missing.stdout]).toEqual([
    1,
    expect.stringContaining('no line has the expected hash'),
  ]);
});

it('full-disk: sessions go on without an audit, nobody gets in where it is required, and the operator can', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-full-'));
  const data = join(folder, 'data');
  await run('mkdir', ['-p', join(data, 'audit')]);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', join(data, 'audit')]);
  const folders = { dataDir: data, hostKeysDir: join(folder, 'hostkeys') };
  const start = (auditRequired: boolean) =>
    startTestGateway({ folders, admin: served.admin, config: { auditRequired } });
  try {
    const lenient = await start(false);
    await run('dd', ['if=/dev/zero', `of=${join(data, 'audit', 'ballast')}`, 'bs=1k', 'count=64']).catch(
      () => {},
    );
    const isTold = () => lenient.logged().some(({ msg }) => msg === 'the audit cannot be written');
    for (let tries = 0; !isTold() && tries < 50; tries++)
      expect((await lenient.ssh('whoami')).status).toBe(0);
    expect(isTold()).toBe(true);
    expect((await lenient.ssh('whoami')).status).toBe(0);
    await lenient.stop();

    const strict = await start(true);
    let refused = await strict.ssh('whoami');
    for (let tries = 0; refused.status === 0 && tries < 50; tries++) refused = await strict.ssh('whoami');
    expect([refused.status, refused.stderr]).toEqual([
      255,
      expect.stringContaining('cannot write its audit (ENOSPC)'),
    ]);
    expect((await postern('account', 'list', '--data', data)).status).toBe(0);
    const invited = await postern('invite', 'create', '--name=guest', '--json', '--data', data);
    const { code } = JSON.parse(invited.stdout) as { code: string };
    const stranger = await makeKeyPair();
    const joined = await strict.ssh('', { key: stranger, login: `join+${code}` });
    expect([joined.status, joined.stderr]).toEqual([
      255,
      expect.stringContaining('cannot write its audit (ENOSPC)'),
    ]);
    await run('rm', [join(data, 'audit', 'ballast')]);
    await expect.poll(async () => (await strict.ssh('whoami')).status, { timeout: 10_000 }).toBe(0);
    expect((await strict.ssh('', { key: stranger, login: `join+${code}` })).status).toBe(0);
    await strict.stop();
    expect((await postern('audit', 'verify', '--data', data)).stdout).toContain('The chain is whole.');
  } finally {
    await run('umount', ['-l', join(data, 'audit')]);
  }
});
