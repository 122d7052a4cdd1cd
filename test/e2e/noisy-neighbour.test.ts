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
let echo: Echo;
/** By another gateway, into the same container: how quick this machine is at this moment. */
let other: Echo;
let otherGateway: ChildProcess;

interface Echo {
  readonly client: Client;
  readonly channel: ClientChannel;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-noisy-'));
  [key, container] = await Promise.all([makeKeyPair(), startContainer()]);
  const flags = [`--admin-key=${key.file}.pub`, `--docker=${engineHost()}`, '--log-level=error'];
  const start = (name: string) => serve(join(folder, name), flags, process.stderr.fd);
  const [attacked, calm] = await Promise.all([start('attacked'), start('calm')]);
  gateway = attacked.child;
  otherGateway = calm.child;
  target = await targetIn(join(folder, 'attacked'), attacked.port);
  [echo, other] = await Promise.all([openEcho(attacked.port), openEcho(calm.port)]);
});
afterAll(async () => {
  for (const { client } of [echo, other]) client.end();
  for (const each of [gateway, otherGateway]) {
    each.kill('SIGTERM');
    await new Promise((resolve) => each.once('exit', resolve));
  }
  await removeContainer(container);
  await rm(folder, { recursive: true, force: true });
});

async function openEcho(port: number): Promise<Echo> {
  const privateKey = await readFile(key.file);
  const client = await connectRaw(port, { privateKey, username: `rexec-${container.name}` });
  const channel = await new Promise<ClientChannel>((resolve, reject) =>
    client.exec('cat', (error, stream) => (error ? reject(error) : resolve(stream))),
  );
  return { client, channel };
}

async function msThereAndBack({ channel }: Echo): Promise<number> {
  const started = performance.now();
  const back = new Promise((resolve) => channel.once('data', resolve));
  channel.write('x');
  await back;
  return performance.now() - started;
}

/** Median milliseconds for one byte there and back: by this gateway, and in the same while by the other. */
async function echoLatencyMs(): Promise<{ readonly here: number; readonly elsewhere: number }> {
  const [here, elsewhere]: [number[], number[]] = [[], []];
  for (let n = 0; n < 40; n++) {
    here.push(await msThereAndBack(echo));
    elsewhere.push(await msThereAndBack(other));
    await sleep(10);
  }
  const median = (times: number[]) => times.sort((a, b) => a - b)[20] as number;
  return { here: median(here), elsewhere: median(elsewhere) };
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
    const { here, elsewhere } = await echoLatencyMs();
    expect(here).toBeLessThan(50 + 2 * elsewhere);
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
