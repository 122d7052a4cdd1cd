/**
 * One logged-in attacker, with the floods that stop or bloat a bare ssh2 server: everybody else's echo stays quick, and the
 * gateway's memory small. The gateway is a process of its own, so that what is measured is its alone.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientChannel } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendPayload } from '../../src/ssh/ssh2-internals.ts';
import { byte, string, uint32 } from '../../src/ssh/wire.ts';
import { engineHost, removeContainer, startContainer, type TestContainer } from '../support/engine.ts';
import { connectRaw } from '../support/raw-client.ts';
import { serve, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, type SshTarget, spawnSsh } from '../support/ssh-client.ts';

let folder: string;
let key: KeyPair;
let gateway: ChildProcess;
let target: SshTarget;
let container: TestContainer;
let echo: ClientChannel;
let echoClient: Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-noisy-'));
  [key, container] = await Promise.all([makeKeyPair(), startContainer()]);
  const flags = [`--admin-key=${key.file}.pub`, `--docker=${engineHost()}`, '--log-level=error'];
  const served = await serve(folder, flags, process.stderr.fd);
  gateway = served.child;
  target = await targetIn(folder, served.port);
  echoClient = await connectRaw(target.port, {
    privateKey: await readFile(key.file),
    username: `rexec-${container.name}`,
  });
  echo = await new Promise((resolve, reject) =>
    echoClient.exec('cat', (error, stream) => (error ? reject(error) : resolve(stream))),
  );
});
afterAll(async () => {
  echoClient.end();
  gateway.kill('SIGTERM');
  await new Promise((resolve) => gateway.once('exit', resolve));
  await removeContainer(container);
  await rm(folder, { recursive: true, force: true });
});

/** Median milliseconds for one byte there and back. */
async function echoLatencyMs(): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 40; n++) {
    const started = performance.now();
    const back = new Promise((resolve) => echo.once('data', resolve));
    echo.write('x');
    await back;
    times.push(performance.now() - started);
    await sleep(10);
  }
  return times.sort((a, b) => a - b)[20] as number;
}

const residentMib = async () =>
  Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${gateway.pid}/status`, 'utf8'))?.[1]) / 1024;

/** Runs the attack for a second, measures beside it, and stops it. */
async function expectUnmoved(attack: () => Promise<() => void>): Promise<void> {
  await echoLatencyMs();
  const idleMib = await residentMib();
  const stop = await attack();
  await sleep(1_000);
  try {
    expect(await echoLatencyMs()).toBeLessThan(50);
    expect((await residentMib()) - idleMib).toBeLessThan(100);
  } finally {
    stop();
  }
}

const attacker = (command: string) => spawnSsh(target, command, { key, login: `rexec-${container.name}` });

describe('while one connection', () => {
  it('opens channels of packet size 0 without end', () =>
    expectUnmoved(async () => {
      const client = await connectRaw(target.port, { privateKey: await readFile(key.file) });
      client.on('error', () => {});
      const flood = setInterval(() => {
        for (let n = 0; n < 20; n++) {
          sendPayload(
            client as never,
            Buffer.concat([byte(90), string('session'), uint32(n), uint32(1_000), uint32(0)]),
          );
        }
      }, 10);
      return () => {
        clearInterval(flood);
        client.destroy();
      };
    }));

  it('asks for endless output, on both streams, and reads none of it', () =>
    expectUnmoved(async () => {
      const children = Array.from({ length: 3 }, () => attacker('yes & yes >&2'));
      await sleep(500);
      for (const child of children) child.kill('SIGSTOP');
      return () => {
        for (const child of children) child.kill('SIGKILL');
      };
    }));

  it('pushes endless input into programs that read none of it', () =>
    expectUnmoved(async () => {
      const children = Array.from({ length: 3 }, () => attacker('sleep 1000'));
      for (const child of children) {
        child.stdin?.on('error', () => {});
        child.stdout?.resume();
        const push = () => {
          while (child.stdin?.writable && child.stdin.write(Buffer.alloc(65_536)));
        };
        child.stdin?.on('drain', push);
        push();
      }
      return () => {
        for (const child of children) child.kill('SIGKILL');
      };
    }));
});
