/** One member who opens connection after connection leaves room for the others: the bound is the gateway's, not a worker's. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { servingWorkers, until } from '../support/processes.ts';
import { connectRaw } from '../support/raw-client.ts';
import { type Served, serve, stop, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, type SshTarget, ssh } from '../support/ssh-client.ts';

interface Opened {
  readonly client: Client;
  readonly isOpen: () => boolean;
}

async function open(port: number, { file }: KeyPair): Promise<Opened> {
  let isOpen = true;
  const client = await connectRaw(port, { privateKey: await readFile(file) });
  client.on('close', () => {
    isOpen = false;
  });
  return { client, isOpen: () => isOpen };
}

const openMany = async (count: number, port: number, key: KeyPair) => {
  const opened: Opened[] = [];
  for (let left = count; left > 0; left--) opened.push(await open(port, key));
  return opened;
};
const openOf = (all: readonly Opened[]) => all.filter(({ isOpen }) => isOpen()).length;

describe('an account', () => {
  let door: TestGateway;
  let bob: KeyPair;
  beforeAll(async () => {
    door = await startTestGateway({ config: { maxConnections: 8 } });
    bob = await door.addMember('bob');
  });
  afterAll(() => door.stop());

  it('has half of the connections, however many it opens, and what it has goes on; others get in', async () => {
    const opened = await openMany(6, door.port, bob);
    await expect.poll(() => openOf(opened)).toBe(4);
    expect(opened.slice(0, 4).every(({ isOpen }) => isOpen())).toBe(true);
    expect((await door.ssh('whoami')).status).toBe(0);
    const refused = await door.ssh('audit --event=refused --json');
    expect(refused.text.match(/too-many-connections/g)).toHaveLength(2);
    // One that is closed makes room for one.
    opened[0]?.client.end();
    await expect.poll(() => openOf(opened)).toBe(3);
    const [next] = await openMany(1, door.port, bob);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(next?.isOpen()).toBe(true);
    for (const { client } of [...opened, ...(next ? [next] : [])]) client.end();
  });

  it('is told why', async () => {
    const opened = await openMany(4, door.port, bob);
    const asked = await door.ssh(undefined, { key: bob, args: ['-N'] });
    expect(asked.stderr).toContain('your account has 4 connections open already; close one first.');
    for (const { client } of opened) client.end();
  });
});

describe('two workers', () => {
  let folder: string;
  let served: Served;
  let target: SshTarget;
  let admin: KeyPair;
  let bob: KeyPair;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-shares-'));
    [admin, bob] = await Promise.all([makeKeyPair(), makeKeyPair()]);
    const file = join(folder, 'postern.json');
    await writeFile(file, JSON.stringify({ workers: 2, maxConnectionsPerAccount: 3 }));
    served = await serve(folder, [`--admin-key=${admin.file}.pub`, `--config=${file}`, '--log-level=info']);
    target = await targetIn(folder, served.port);
    await ssh(target, `account add bob "${bob.publicKey}"`, { key: admin });
  });
  afterAll(async () => {
    await stop(served);
    await rm(folder, { recursive: true, force: true });
  });

  it('count together, and forget those of one that was killed', async () => {
    const opened = await openMany(6, served.port, bob);
    await expect.poll(() => openOf(opened)).toBe(3);
    const deaths = () => served.printed().split('"a worker died"').length;
    const before = deaths();
    for (const pid of servingWorkers(served)) process.kill(pid, 'SIGKILL');
    await until(() => deaths() === before + 2);
    await expect.poll(() => openOf(opened)).toBe(0);
    expect((await ssh(target, 'whoami', { key: admin })).status).toBe(0);
    const again = await openMany(4, served.port, bob);
    await expect.poll(() => openOf(again)).toBe(3);
    for (const { client } of again) client.end();
  });
});
