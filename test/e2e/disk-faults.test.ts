/** A data folder that is full, cannot be written, or loses files: people are told in a sentence, and it recovers by itself. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentFile } from '../../src/audit/audit-files.ts';
import { verifyAudit } from '../../src/audit/verify-audit.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { readMetrics } from '../support/metrics-page.ts';
import { openPrompt } from '../support/open-prompt.ts';
import { type KeyPair, makeKeyPair } from '../support/ssh-client.ts';

const run = promisify(execFile);

let folder: string;
let data: string;
let admin: KeyPair;
let door: TestGateway;
let container: TestContainer;

beforeAll(async () => {
  container = await runContainer(images.busybox, ['--network=none']);
  folder = await mkdtemp(join(tmpdir(), 'postern-disk-'));
  data = join(folder, 'data');
  await mkdir(data);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', data]);
  admin = await makeKeyPair();
  door = await startTestGateway({
    admin,
    folders: { dataDir: data, hostKeysDir: join(folder, 'hostkeys') },
    // Whose file is on the disk: with a database a full one stops no change.
    config: { metricsListen: '127.0.0.1:0', store: 'lowdb' },
  });
});
afterAll(async () => {
  await door.stop();
  await container.remove();
  await run('umount', ['-l', data]);
  await rm(folder, { recursive: true, force: true });
});

const metrics = () => readMetrics(door.gateway.metricsAddress?.port);
let names = 0;
const change = () => door.ssh(`invite create --name=guest${++names}`);

/** What needs no disk goes on. */
async function expectSessions() {
  expect((await door.ssh('whoami')).text).toContain('Account: admin');
  const inside = await door.ssh('echo inside', { login: `rexec-${container.name}` });
  expect([inside.status, inside.text, inside.stderr]).toEqual([0, 'inside\n', '']);
}

async function expectRecovery() {
  await expect.poll(async () => (await change()).status, { timeout: 20_000 }).toBe(0);
  await expect
    .poll(async () => (await metrics()).value('postern_audit_unwritten'), { timeout: 10_000 })
    .toBe(0);
  const { tables } = JSON.parse(await readFile(join(data, 'postern.json'), 'utf8'));
  expect(JSON.stringify(tables.invites)).toContain(`guest${names}`);
  expect((await verifyAudit(data)).breaks).toEqual([]);
}

describe.each([
  [
    'disk-full',
    'ENOSPC',
    () => run('dd', ['if=/dev/zero', `of=${join(data, 'ballast')}`, 'bs=4k']).catch(() => {}),
    () => rm(join(data, 'ballast')),
  ],
  [
    'read-only',
    'EROFS',
    async () => {
      await run('mount', ['--bind', data, data]);
      await run('mount', ['-o', 'remount,bind,ro', data]);
    },
    () => run('umount', [data]),
  ],
])('%s', (_name, code, begin, end) => {
  it('a change is refused with the cause, and was not made; all else goes on; then it is made, without a restart', async () => {
    const before = (await metrics()).sum('postern_store_failures_total');
    const prompt = await openPrompt(door, admin);
    // Behind the note that the key was used: what is being written takes room, and gives it back.
    expect((await change()).status).toBe(0);
    await begin();
    const refused = await change();
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringMatching(`could not be written and was not made \\(.*${code}`),
    ]);
    const list = await door.ssh('invite list --json');
    expect(list.text).not.toContain(`"guest${names}"`);
    await expectSessions();
    expect((await metrics()).sum('postern_store_failures_total')).toBeGreaterThan(before);
    await end();
    await expectRecovery();
    expect(prompt.child.exitCode).toBeNull();
    prompt.child.kill();
  });
});

describe('removed under it', () => {
  it('store-removed: what the gateway knows is written whole again with the next change', async () => {
    await rm(join(data, 'postern.json'));
    await expectSessions();
    await expectRecovery();
  });

  it('backups-removed: the next change makes them anew', async () => {
    await rm(join(data, 'backups'), { recursive: true });
    await expectRecovery();
  });

  it('audit-removed: what is written from then on stands in a file again', async () => {
    const { lastSeq = 0 } = await verifyAudit(data);
    await rm(join(data, 'audit'), { recursive: true });
    await door.ssh('whoami');
    await expect
      .poll(() => readFile(currentFile(data), 'utf8').catch(() => ''), { timeout: 10_000 })
      .toContain('login-accepted');
    await expectRecovery();
    // The chain goes on: that something is missing before it can be seen.
    expect((await verifyAudit(data)).firstSeq).toBeGreaterThanOrEqual(lastSeq);
  });
});
