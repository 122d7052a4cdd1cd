/**
 * kill -9 at a random moment during 500 concurrent `ssh-key add`: every acknowledged key is there after the
 * restart, and the file parses. A few rounds here; `npm run soak` does a hundred.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'ssh2';
import { expect, it } from 'vitest';
import { connectRaw } from '../support/raw-client.ts';
import { makeKeyPair } from '../support/ssh-client.ts';

const rounds = Number(process.env['POSTERN_KILL_ROUNDS'] ?? 3);
const connections = 10;
const addsPerConnection = 50;
const main = new URL('../../src/main.ts', import.meta.url).pathname;

/** A public key line that was never seen before, without the cost of a process. */
function newPublicKey(): string {
  const raw = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  return `ssh-ed25519 ${Buffer.concat([field(Buffer.from('ssh-ed25519')), field(raw)]).toString('base64')}`;
}

async function serve(args: readonly string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [main, 'serve', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk;
      const found = /SSH on 127\.0\.0\.1:(\d+)/.exec(text);
      if (found) resolve(Number(found[1]));
    });
    child.once('exit', () => reject(new Error(`the gateway did not start: ${text}`)));
  });
  return { child, port };
}

/** Whether the key was acknowledged: status 0, seen by the client. */
function add(client: Client, publicKey: string): Promise<boolean> {
  return new Promise((resolve) => {
    client.exec('ssh-key add', (error, stream) => {
      if (error) return resolve(false);
      let status: number | undefined;
      stream.on('exit', (code: number) => {
        status = code;
      });
      stream.on('close', () => resolve(status === 0)).resume();
      stream.stderr.resume();
      stream.end(`${publicKey}\n`);
    });
  });
}

/** Resolves to the keys that were acknowledged. */
async function killRound(serveArgs: readonly string[], adminKey: string): Promise<string[]> {
  const { child, port } = await serve(serveArgs);
  const privateKey = await readFile(adminKey);
  const clients = await Promise.all(
    Array.from({ length: connections }, () => connectRaw(port, { privateKey })),
  );
  const acknowledged: string[] = [];
  // So many, not so long: in a second a busy machine may have acknowledged none, a fast one all.
  const enough = Math.random() * connections * addsPerConnection * 0.9;
  const midway = Promise.withResolvers<void>();
  const adding = clients.flatMap((client) =>
    Array.from({ length: addsPerConnection }, async () => {
      const publicKey = newPublicKey();
      if (await add(client, publicKey)) acknowledged.push(publicKey);
      if (acknowledged.length >= enough) midway.resolve();
    }),
  );
  await midway.promise;
  await sleep(Math.random() * 100);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
  for (const client of clients) client.destroy();
  await Promise.race([Promise.all(adding), sleep(2_000)]);
  return acknowledged;
}

it(`kill-9-during-add over SSH: nothing acknowledged is lost (${rounds} rounds)`, async () => {
  let total = 0;
  for (let round = 0; round < rounds; round++) {
    const folder = await mkdtemp(join(tmpdir(), 'postern-kill-'));
    const admin = await makeKeyPair();
    const serveArgs = [
      '--ssh-listen=127.0.0.1:0',
      `--data=${folder}/data`,
      `--hostkeys=${folder}/hostkeys`,
      `--admin-key=${admin.file}.pub`,
      '--log-level=error',
      `--config=${join(import.meta.dirname, '../support/many-keys.json')}`,
    ];
    const acknowledged = await killRound(serveArgs, admin.file);
    total += acknowledged.length;
    JSON.parse(await readFile(`${folder}/data/postern.json`, 'utf8'));
    const { child, port } = await serve(serveArgs);
    const client = await connectRaw(port, { privateKey: await readFile(admin.file) });
    const listed = await new Promise<string>((resolve) =>
      client.exec('ssh-key list --json', (_error, stream) => {
        let text = '';
        stream.on('data', (chunk: Buffer) => {
          text += chunk;
        });
        stream.on('close', () => resolve(text));
      }),
    );
    const present = new Set(
      (JSON.parse(listed) as { ssh_keys: { public_key: string }[] }).ssh_keys.map((key) => key.public_key),
    );
    expect(acknowledged.filter((key) => !present.has(key))).toEqual([]);
    client.end();
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
  expect(total).toBeGreaterThan(0);
});
