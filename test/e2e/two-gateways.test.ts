/** Two gateways, as processes, on one database. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentFile } from '../../src/audit/audit-files.ts';
import {
  findContradictions,
  type KeyHistory,
  propagationMs,
  type TimedChange,
  type TimedLogin,
} from '../support/key-history.ts';
import { createLightClient } from '../support/light-client.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type Served, serve, stop, targetIn } from '../support/served.ts';
import { type KeyPair, makeKeyPair, type SshTarget, spawnSsh, ssh } from '../support/ssh-client.ts';

/** `npm run history` asks for more. */
const keyCount = Number(process.env['TEST_HISTORY_KEYS'] ?? 24);
const loginCount = Number(process.env['TEST_HISTORY_LOGINS'] ?? 300);
const killEveryMs = Number(process.env['TEST_HISTORY_KILL_MS'] ?? 3_000);

interface Place {
  readonly name: string;
  readonly folder: string;
  served?: Served;
  target?: SshTarget;
}

let above: string;
let database: TestDatabase;
let admin: KeyPair;
let places: [Place, Place];

async function start(place: Place): Promise<void> {
  const config = join(above, 'config.json');
  const extra = [`--store=${database.url}`, `--admin-key=${admin.file}.pub`, `--config=${config}`];
  place.served = await serve(place.folder, extra, 'pipe', ['env', `POSTERN_GATEWAY_NAME=${place.name}`]);
  place.target = await targetIn(place.folder, place.served.port);
}

beforeAll(async () => {
  above = await mkdtemp(join(tmpdir(), 'postern-two-'));
  database = await createTestDatabase();
  admin = await makeKeyPair();
  const config = { perSourcePenalties: false, maxKeysPerAccount: 100_000, maxStartups: '100:30:200' };
  await writeFile(join(above, 'config.json'), JSON.stringify({ ...config, perSourceMaxStartups: 200 }));
  places = [
    { name: 'a', folder: join(above, 'a') },
    { name: 'b', folder: join(above, 'b') },
  ];
  await Promise.all(places.map(start));
});
afterAll(async () => {
  await Promise.all(places.map(({ served }) => served && stop(served)));
  await database.drop();
  await rm(above, { recursive: true, force: true });
});

const asAdmin = ({ target }: Place, line: string, stdin = '') =>
  ssh(target as SshTarget, line, { key: admin, stdin, timeoutMs: 20_000 });

/** When the last of those events was, by the audit. */
async function lastOf({ folder }: Place, event: string): Promise<number> {
  const lines = (await readFile(currentFile(join(folder, 'data')), 'utf8')).split('\n').slice(0, -1);
  const events = lines.map((line) => JSON.parse(line) as Record<string, string>);
  return Date.parse(events.findLast((each) => each['event'] === event)?.['time'] ?? '');
}

describe('two gateways on one database', () => {
  it('a connection on one ends within a second when its key is removed on the other', async () => {
    const key = await makeKeyPair();
    expect((await asAdmin(places[0], 'ssh-key add --name=leaving', key.publicKey)).status).toBe(0);
    const open = spawnSsh(places[1].target as SshTarget, undefined, { key, args: ['-tt'] });
    let said = '';
    const farewell = new Promise<void>((resolve) => {
      const read = (chunk: Buffer) => {
        said += chunk;
        if (said.includes('no longer valid here')) resolve();
      };
      open.stdout?.on('data', read);
      open.stderr?.on('data', read);
    });
    await expect.poll(() => said).toContain('Welcome');
    expect((await asAdmin(places[0], 'ssh-key remove leaving')).status).toBe(0);
    await farewell;
    // By what the gateways wrote: in between is no ssh that has to be told.
    await expect
      .poll(async () => (await lastOf(places[1], 'session-ended')) - (await lastOf(places[0], 'command-run')))
      .toBeLessThan(1_000);
  });

  it(`history: ${loginCount} logins and ${2 * keyCount} changes at random, one of them killed time and again, are what one store may answer`, async () => {
    const histories = Array.from({ length: keyCount }, (_, index) => ({
      ...makeKey(`history-${index}`),
      index,
    }));
    let isOver = false;
    const killing = killInTurns(() => isOver);
    const perKey = Math.ceil(loginCount / keyCount);
    const queue = [...histories];
    const drivers = Array.from({ length: Math.min(6, keyCount) }, async () => {
      for (let next = queue.shift(); next; next = queue.shift()) await live(next, perKey);
    });
    await Promise.all(drivers);
    isOver = true;
    const kills = await killing;
    const listed = (await asAdmin(places[0], 'ssh-key list --json')).text;
    const names = new Set(listed.match(/history-\d+(?=")/g));
    expect(
      findContradictions(
        histories.map(({ history }) => history),
        names,
      ),
    ).toEqual([]);
    const outcomes = histories.flatMap(({ history }) => history.logins.map(({ outcome }) => outcome));
    const made = histories.flatMap(({ history }) => [history.added, history.removed]);
    // The claim would hold of gateways that do nothing, too.
    expect(kills).toBeGreaterThan(0);
    expect(outcomes.filter((outcome) => outcome === 'in').length).toBeGreaterThan(loginCount / 10);
    expect(outcomes.filter((outcome) => outcome === 'denied').length).toBeGreaterThan(loginCount / 10);
    expect(made.filter((change) => change?.outcome === 'made').length).toBeGreaterThan(keyCount / 2);
  });
});

interface Actor {
  readonly history: KeyHistory;
  readonly line: string;
  readonly pem: string;
}

function makeKey(name: string): Actor {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const part = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const blob = Buffer.concat([part(Buffer.from('ssh-ed25519')), part(raw)]);
  return {
    history: { name, logins: [] },
    line: `ssh-ed25519 ${blob.toString('base64')}`,
    pem: (privateKey as KeyObject).export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

const anyPlace = () => places[Math.random() < 0.5 ? 0 : 1];

/** Logins before, between and after the key is added and removed, some just when nobody may come in by it any more, on whichever gateway. */
async function live({ history, line, pem }: Actor, logins: number): Promise<void> {
  const some = async (share: number) => {
    for (let count = 0; count < Math.ceil(logins * share); count++) {
      history.logins.push(await logIn(anyPlace(), pem));
      await pause(Math.random() * 100);
    }
  };
  await some(0.1);
  history.added = await change(`ssh-key add --name=${history.name}`, line);
  await some(0.45);
  const removing = change(`ssh-key remove ${history.name}`);
  const meanwhile = some(0.25);
  history.removed = await removing;
  await meanwhile;
  await pause(Math.max(0, history.removed.endedAtMs + propagationMs - performance.now()) + 20);
  await some(0.2);
}

async function logIn(place: Place, pem: string): Promise<TimedLogin> {
  const startedAtMs = performance.now();
  const outcome = await createLightClient(place.target?.port ?? 0, pem)
    .logIn()
    .then((socket) => {
      socket.destroy();
      return 'in' as const;
    })
    .catch((error: Error) =>
      error.message.includes('the key was refused') ? ('denied' as const) : ('away' as const),
    );
  return { startedAtMs, endedAtMs: performance.now(), outcome, at: place.name };
}

async function change(command: string, stdin = ''): Promise<TimedChange> {
  const startedAtMs = performance.now();
  const { status, stderr } = await asAdmin(anyPlace(), command, stdin);
  const isRefused = /was not made|Connection refused|there is no/.test(stderr);
  const outcome = status === 0 ? 'made' : isRefused ? 'refused' : 'unknown';
  return { startedAtMs, endedAtMs: performance.now(), outcome };
}

/** Resolves to how often. */
async function killInTurns(isOver: () => boolean): Promise<number> {
  let kills = 0;
  while (!isOver()) {
    await pause(killEveryMs);
    const place = places[kills++ % 2] as Place;
    const child = place.served?.child;
    const gone = new Promise((resolve) => child?.once('exit', resolve));
    child?.kill('SIGKILL');
    await gone;
    await start(place);
  }
  return kills;
}
