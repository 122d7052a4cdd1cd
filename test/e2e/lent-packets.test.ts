/** What a client sends is read into memory that is used again: whoever still needs what lies there keeps it. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { takeAtOnce } from '../../src/platform/lent-reads.ts';
import type { SessionIo } from '../../src/sessions/session.ts';
import { type BareDoor, openBareDoor } from '../support/bare-door.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connectRaw } from '../support/raw-client.ts';
import { ssh } from '../support/ssh-client.ts';
import { sshConfigFile, viaConfig } from '../support/ssh-config-file.ts';

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');
const mebibyte = 1024 * 1024;

const newKeys = 21;
const tagBytes = 16;

/** Passes on what a client sends up to the last packet's MAC, and that with what comes next. AES-GCM hides no length, RFC 5647 §7.2. */
async function openCuttingProxy(toPort: number): Promise<number> {
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: toPort, host: '127.0.0.1', noDelay: true });
    upstream.on('error', () => client.destroy()).pipe(client);
    client.on('error', () => upstream.destroy());
    void cutStream(client, upstream);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function cutStream(client: Socket, upstream: Socket): Promise<void> {
  let waiting = Buffer.alloc(0);
  let isEncrypted = false;
  let held = Buffer.alloc(0);
  for await (const chunk of client as AsyncIterable<Buffer>) {
    waiting = Buffer.concat([waiting, chunk]);
    for (let length = nextLength(waiting, isEncrypted); length <= waiting.length; ) {
      const packet = waiting.subarray(0, length);
      waiting = waiting.subarray(length);
      const kept = isEncrypted && length > 16 * 1024 ? tagBytes : 0;
      upstream.write(Buffer.concat([held, packet.subarray(0, length - kept)]));
      held = Buffer.from(packet.subarray(length - kept));
      if (kept > 0) await pause(3);
      if (!isEncrypted) isEncrypted = packet[5] === newKeys;
      length = nextLength(waiting, isEncrypted);
    }
    // Only bulk comes in a row.
    upstream.write(held);
    held = Buffer.alloc(0);
  }
  upstream.end();
}

/** Of the version line, or of a packet with its MAC. */
function nextLength(bytes: Buffer, isEncrypted: boolean): number {
  if (bytes.subarray(0, 4).equals(Buffer.from('SSH-'))) return bytes.indexOf('\n') + 1 || Infinity;
  if (bytes.length < 4) return Infinity;
  return 4 + bytes.readUInt32BE(0) + (isEncrypted ? tagBytes : 0);
}

describe('in the door', () => {
  let door: BareDoor;
  beforeAll(async () => {
    door = await openBareDoor();
  });
  afterAll(() => door.close());

  /** All that came, each piece as it was given. */
  const keep = async ({ stdin }: SessionIo) => {
    const pieces: Buffer[] = [];
    stdin.on('data', (piece: Buffer) => pieces.push(piece));
    await new Promise((resolve) => stdin.once('end', resolve));
    return pieces;
  };

  it('data that is taken at once leaves its memory for what comes next', async () => {
    const hash = createHash('sha256');
    const places = new Set<ArrayBufferLike>();
    let pieces = 0;
    door.handler = async (_request, { stdin }) => {
      takeAtOnce(stdin, () => true);
      stdin.on('data', (piece: Buffer) => {
        hash.update(piece);
        places.add(piece.buffer);
        pieces++;
      });
      await new Promise((resolve) => stdin.once('end', resolve));
      return { exitStatus: 0 };
    };
    const sent = randomBytes(32 * mebibyte);
    expect((await door.ssh('x', { stdin: sent })).status).toBe(0);
    expect(hash.digest('hex')).toBe(sha256(sent));
    // One packet of each read is not whole, and lies in memory of its own.
    expect(places.size).toBeLessThan(pieces / 2);
  });

  it('kept-data: who keeps pieces finds them as they came, whatever came behind them', async () => {
    let kept: Buffer[] = [];
    door.handler = async (_request, io) => {
      kept = await keep(io);
      return { exitStatus: 0 };
    };
    const sent = randomBytes(32 * mebibyte);
    expect((await door.ssh('x', { stdin: sent })).status).toBe(0);
    expect(sha256(Buffer.concat(kept))).toBe(sha256(sent));
  });

  it('cut-before-the-mac: a packet whose MAC comes later is not written over by what comes with it', async () => {
    const hash = createHash('sha256');
    door.handler = async (_request, { stdin }) => {
      takeAtOnce(stdin, () => true);
      stdin.on('data', (piece: Buffer) => hash.update(piece));
      await new Promise((resolve) => stdin.once('end', resolve));
      return { exitStatus: 0 };
    };
    const sent = randomBytes(3 * mebibyte);
    const port = await openCuttingProxy(door.port);
    const { knownHosts } = door;
    const target = { port, knownHosts: join(await mkdtemp(join(tmpdir(), 'known-')), 'hosts') };
    await writeFile(
      target.knownHosts,
      (await readFile(knownHosts, 'utf8')).replaceAll(`:${door.port}`, `:${port}`),
    );
    const args = ['-o', 'Ciphers=aes128-gcm@openssh.com'];
    const outcome = await ssh(target, 'x', { key: door.key, args, stdin: sent });
    expect([outcome.stderr, outcome.status]).toEqual(['', 0]);
    expect(hash.digest('hex')).toBe(sha256(sent));
  });

  it('two-readers: what one channel keeps is not written over by what another takes at once', async () => {
    const came = new Map<string, Promise<string>>();
    const taken = async ({ stdin }: SessionIo) => {
      const hash = createHash('sha256');
      takeAtOnce(stdin, () => true);
      stdin.on('data', (piece: Buffer) => hash.update(piece));
      await new Promise((resolve) => stdin.once('end', resolve));
      return hash.digest('hex');
    };
    const slow = async (io: SessionIo) => {
      await pause(500);
      return sha256(Buffer.concat(await keep(io)));
    };
    door.handler = async ({ start }, io) => {
      const name = start.kind === 'exec' ? start.command : '';
      came.set(name, name.startsWith('taken') ? taken(io) : slow(io));
      await came.get(name);
      return { exitStatus: 0 };
    };
    const client = await connectRaw(door.port, { privateKey: await readFile(door.key.file) });
    const sent = randomBytes(16 * mebibyte);
    const names = ['taken 1', 'slow 1', 'taken 2', 'slow 2'];
    const send = (name: string) =>
      new Promise((resolve) =>
        client.exec(name, (_error, stream) => stream.on('close', resolve).resume().end(sent)),
      );
    await Promise.all(names.map(send));
    for (const name of names) expect([name, await came.get(name)]).toEqual([name, sha256(sent)]);
    client.end();
  });
});

describe('into a container', () => {
  let gateway: TestGateway;
  let container: TestContainer;
  beforeAll(async () => {
    [gateway, container] = await Promise.all([startTestGateway(), runContainer(images.debian)]);
  });
  afterAll(async () => {
    await Promise.all([gateway.stop(), container.remove()]);
  });

  it('programs that read late and ones that read at once each get what was sent to them, over new keys', async () => {
    const file = await sshConfigFile(gateway);
    const control = join(await mkdtemp(join(tmpdir(), 'cm-')), 's');
    const login = `rexec-${container.name}`;
    const options = ['-o', `ControlPath=${control}`, '-o', 'RekeyLimit=6M'];
    const sent = randomBytes(24 * mebibyte);
    const master = ['-o', 'ControlMaster=yes', '-o', 'ControlPersist=60'];
    // The first session is the engine's; the second brings the resident, which later ones go by.
    const first = await viaConfig(file, [...options, ...master, login, 'sleep 1; sha256sum'], {
      stdin: sent,
    });
    expect(first.text.split(' ')[0]).toBe(sha256(sent));
    await viaConfig(file, [...options, login, 'true']);
    const commands = [
      'sha256sum',
      'sleep 2; sha256sum',
      'sha256sum',
      'sleep 1; head -c 1 >/dev/null; sleep 1',
    ];
    const run = (command: string) =>
      viaConfig(file, [...options, login, command], { stdin: sent, timeoutMs: 80_000 });
    for (let turn = 0; turn < 2; turn++) {
      const outcomes = await Promise.all(commands.map(run));
      const sums = outcomes.slice(0, 3).map(({ text }) => text.split(' ')[0]);
      expect(sums).toEqual(Array(3).fill(sha256(sent)));
    }
    await viaConfig(file, [...options, '-O', 'exit', login]);
  });
});
