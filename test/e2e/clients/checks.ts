/** What stands behind each column of the matrix: one function, which throws when the client cannot. */
import { basename } from 'node:path';
import { expect } from 'vitest';
import type { Outcome } from '../../support/ssh-client.ts';
import { type Bench, type LocalFile, localHash, remoteHash, sha256 } from './bench.ts';
import type { Client, Column, KeyType, Visit } from './client.ts';

type Check = (client: Client, bench: Bench) => Promise<void>;

const remoteFile = '/tmp/matrix-file';
/** Messages by which clients keep a connection alive: IGNORE, GLOBAL_REQUEST, CHANNEL_REQUEST, OpenSSH's ping. */
const channelRequest = 98;
const keepaliveMessages = [2, 80, channelRequest, 192];
/** REQUEST_SUCCESS and REQUEST_FAILURE. */
const globalReplies = [81, 82];

const exec = (client: Client, visit: Visit, command: string): Promise<Outcome> => {
  if (!client.exec) throw new Error(`${client.name} runs no commands`);
  return client.exec(visit, command);
};

const put = async (client: Client, visit: Visit, file: LocalFile, bench: Bench): Promise<void> => {
  if (!client.put) throw new Error(`${client.name} transfers no files`);
  await bench.container.sh(`rm -f ${remoteFile}`);
  const { status, stderr } = await client.put(visit, file.path, remoteFile);
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  expect(await remoteHash(bench.container, remoteFile)).toBe(file.hash);
};

const get = async (client: Client, visit: Visit, file: LocalFile): Promise<void> => {
  if (!client.get) throw new Error(`${client.name} transfers no files`);
  const local = `${visit.folder}/got`;
  const { status, stderr } = await client.get(visit, remoteFile, local);
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  expect(await localHash(local)).toBe(file.hash);
};

const login =
  (keyType: KeyType): Check =>
  async (client, bench) => {
    const before = bench.door.logged().length;
    const visit = await bench.visit({ keyType });
    if (client.exec) {
      const outcome = await client.exec(visit, 'echo in');
      expect({ stdout: outcome.text, stderr: outcome.stderr }).toMatchObject({ stdout: 'in\n' });
    } else {
      await put(client, visit, bench.small, bench);
    }
    const accepted = bench.door
      .logged()
      .slice(before)
      .filter(({ audit }) => audit === 'login-accepted');
    expect(accepted.length).toBeGreaterThan(0);
    for (const each of accepted) expect(each).toMatchObject({ fingerprint: bench.fingerprints[keyType] });
  };

const status: Check = async (client, bench) => {
  const outcome = await exec(client, await bench.visit(), 'echo out; echo err >&2; exit 42');
  expect({ stdout: outcome.text, stderr: outcome.stderr, status: outcome.status }).toEqual({
    stdout: 'out\n',
    stderr: 'err\n',
    status: 42,
  });
};

const pty: Check = async (client, bench) => {
  const visit = await bench.visit({ pty: true });
  const { text } = await exec(client, visit, 'test -t 0 && test -t 1 && echo "tty:$TERM"');
  expect(text).toMatch(/^tty:\w/m);
};

const env: Check = async (client, bench) => {
  const visit = await bench.visit({ env: { LC_POSTERN: 'a-value' } });
  expect((await exec(client, visit, 'echo "<$LC_POSTERN>"')).text).toBe('<a-value>\n');
};

/** By commands where the client has them, so that stdin and stdout are tried; by its files otherwise. */
const transfer: Check = async (client, bench) => {
  const { large } = bench;
  if (!client.exec) {
    await put(client, await bench.visit(), large, bench);
    return get(client, await bench.visit(), large);
  }
  const up = await client.exec(await bench.visit({ stdin: large.content }), `tee ${remoteFile} | sha256sum`);
  expect(up.text.split(' ')[0]).toBe(large.hash);
  const down = await client.exec(await bench.visit(), `cat ${remoteFile}`);
  expect(sha256(down.stdout)).toBe(large.hash);
};

const files: Check = async (client, bench) => {
  await put(client, await bench.visit(), bench.small, bench);
  await get(client, await bench.visit(), bench.small);
};

/** Waits for one of these messages while nothing else is said: after what belongs to the start, and before the end. */
async function hears(
  client: Client,
  bench: Bench,
  wishes: Partial<Visit>,
  wanted: readonly number[],
  withinMs: number,
): Promise<void> {
  const settleMs = 300;
  bench.tap.clear();
  const visit = await bench.visit(wishes);
  const wake = `/tmp/${basename(visit.folder)}`;
  const slept = exec(client, visit, `until test -e ${wake}; do sleep 0.1; done; echo awake`);
  const heard = () => {
    const messages = bench.tap.received();
    const startMs =
      messages.find(({ number }) => number === channelRequest)?.atMs ?? Number.POSITIVE_INFINITY;
    return messages
      .filter(({ number, atMs }) => wanted.includes(number) && atMs > startMs + settleMs)
      .map(({ number }) => number);
  };
  await expect
    .poll(heard, { timeout: withinMs })
    .not.toEqual([])
    .finally(async () => {
      await bench.container.sh(`touch ${wake}`);
      await slept;
    });
  expect((await slept).text).toBe('awake\n');
}

/** The client says something of its own accord, every second as it was told to. */
const keepalive: Check = (client, bench) =>
  hears(client, bench, { keepaliveSeconds: 1 }, keepaliveMessages, client.limits.keepalive ? 4_000 : 20_000);

/** When it says nothing, we ask, and it answers one way or the other. */
export const answersKeepalive: Check = (client, bench) => hears(client, bench, {}, globalReplies, 20_000);

/** Asked by the client, as it is told to, while data flows. */
const rekey: Check = async (client, bench) => {
  const { tap, small } = bench;
  const before = tap.rekeys();
  // Whoever is said to hang is not waited for.
  const timeoutMs = client.limits.rekey === undefined ? 60_000 : 4_000;
  const visit = await bench.visit({ rekeyBytes: 65_536, stdin: small.content, timeoutMs });
  const outcome = await exec(client, visit, `cat; sleep 0.2; cat /etc/passwd >&2`);
  expect(sha256(outcome.stdout), outcome.stderr).toBe(small.hash);
  expect(tap.rekeys()).toBeGreaterThan(before);
};

/**
 * A download for libssh's example client, longer than the time between two key exchanges. It often loses the end of
 * what comes faster than it passes on, and then spins: of 300 kB at once in 6 of 15 runs with OpenSSH 9.2's sshd without
 * any new keys, of 30 kB ten times a second in 1 of 10 runs with new keys every second, of 20 MB in all of 5 runs with new keys every
 * 64 KiB; from us no less. What comes packet by packet arrived in 30 of 30 runs from either, whoever had asked for new keys. What it
 * sends stands still at times, too: of 300 kB in 8 of 100 runs with OpenSSH 9.2's sshd and new keys every 64 KiB, of 30 kB in none of 160.
 */
const drops = {
  sentBytes: 30_000,
  count: 10,
  bytes: 3_000,
  command: 'for n in 1 2 3 4 5 6 7 8 9 10; do head -c 3000 /dev/zero; sleep 0.1; done',
};

/** Asked by us while data flows, first one way, then the other. */
const rekeyed: Check = async (client, bench) => {
  const { tap, medium, small } = bench;
  const before = tap.rekeys();
  const asking = setInterval(() => tap.rekeyAll(), 100);
  try {
    if (!client.exec) {
      await put(client, await bench.visit(), medium, bench);
      await get(client, await bench.visit(), medium);
    } else {
      // A client that cannot pass on much is asked while it waits.
      const passesOn = client.limits['50 MB'] === undefined;
      const content = passesOn ? medium.content : small.content.subarray(0, drops.sentBytes);
      const zeros = Buffer.alloc(passesOn ? content.length : drops.count * drops.bytes);
      const command = passesOn ? `sleep 0.3; head -c ${zeros.length} /dev/zero` : drops.command;
      const down = await client.exec(await bench.visit(), command);
      expect(sha256(down.stdout)).toBe(sha256(zeros));
      const up = await client.exec(await bench.visit({ stdin: content }), 'sleep 0.3; sha256sum');
      expect(up.text.split(' ')[0]).toBe(sha256(content));
    }
  } finally {
    clearInterval(asking);
  }
  expect(tap.rekeys()).toBeGreaterThan(before);
};

/** To the server of `serve-sockets.ts` that sends back what it is sent. */
const forward: Check = async (client, { small, visit }) => {
  if (!client.forward) throw new Error(`${client.name} forwards nothing`);
  const { stdout, stderr } = await client.forward(await visit({ stdin: small.content }), 81);
  expect({ hash: sha256(stdout), stderr }).toEqual({ hash: small.hash, stderr });
};

export const checks: Readonly<Record<Column, Check>> = {
  ed25519: login('ed25519'),
  ecdsa: login('ecdsa'),
  rsa: login('rsa'),
  exec: status,
  pty,
  env,
  '50 MB': transfer,
  files,
  keepalive,
  rekey,
  rekeyed,
  forward,
};
