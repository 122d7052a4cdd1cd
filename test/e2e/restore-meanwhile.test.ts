/** A restore that comes while a gateway hands over to another: decided by the one, or refused by the other, and never left lying. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packBackup } from '../../src/backup/archive.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { controlSocketPath } from '../../src/control/control-protocol.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';

let folder: string;
let dataDir: string;
let gateway: Gateway;
let restarts: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-restore-'));
  dataDir = join(folder, 'data');
  restarts = 0;
  const flags = { sshListen: '127.0.0.1:0', dataDir, hostKeysDir: join(folder, 'hostkeys'), store: 'lowdb' };
  const { config } = loadConfig({ env: {}, flags });
  const program = { readConfig: () => config, restart: () => void restarts++ };
  gateway = await startGateway(config, pino({ level: 'silent' }), {}, program);
});
afterEach(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true, force: true });
});

const facts = { version: '1', createdAt: '2026-01-02T03:04:05Z', auditHead: { seq: 0, hash: '' } };
const backup = () =>
  packBackup(facts, new Map([['store/postern.json', Buffer.from('{"schema":1,"sequence":0,"tables":{}}')]]));

/** What is asked of the gateway, whose body is still on its way. */
async function beginRestore(bytes: Buffer) {
  const socket = connect({ path: controlSocketPath(dataDir), allowHalfOpen: true });
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.on('error', () => {});
  socket.write(`${JSON.stringify({ line: 'restore', stdin: '' })}\n`);
  await new Promise<void>((resolve) => socket.write(bytes.subarray(0, 512), () => resolve()));
  // Until it was accepted: another one that came after it has its answer.
  const other = connect({ path: controlSocketPath(dataDir), allowHalfOpen: true });
  other.end(`${JSON.stringify({ line: 'version', stdin: '' })}\n`);
  await new Promise((resolve) => other.resume().once('close', resolve));
  return async () => {
    socket.end(bytes.subarray(512));
    await expect.poll(() => answer.includes('\n')).toBe(true);
    socket.destroy();
    return JSON.parse(answer) as { exitStatus: number; stdout: string; stderr: string };
  };
}

const isPending = async () => (await readdir(dataDir)).includes('restore-pending');

it('restore-after-hand-over: is refused, and does not lie there until some later start', async () => {
  const finish = await beginRestore(await backup());
  expect(await gateway.isRestored()).toBe(false);
  await gateway.handOver();
  const answer = await finish();
  expect(answer.stderr).toContain('the gateway is being restarted; try again');
  expect([answer.exitStatus, restarts, await isPending()]).toEqual([1, 0, false]);
});

it('restore-before-hand-over: holds, and who is to hand over is told that it ends instead', async () => {
  const finish = await beginRestore(await backup());
  const answered = finish();
  await expect.poll(isPending).toBe(true);
  expect(await gateway.isRestored()).toBe(true);
  expect((await answered).exitStatus).toBe(0);
  expect(restarts).toBe(1);
});
