/** deploy/several-gateways, with the real HAProxy and PostgreSQL and the gateways as programs: all but the containers. */
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentFile } from '../../src/audit/audit-files.ts';
import { freePort } from '../support/free-port.ts';
import { runHaproxy } from '../support/haproxy.ts';
import { giveHostKeys } from '../support/host-keys.ts';
import { urlOf } from '../support/postgres.ts';
import { makeCluster, startServer, stopServer } from '../support/postgres-server.ts';
import { binaryHeader } from '../support/proxy-header.ts';
import { openSocket } from '../support/raw-client.ts';
import { type Served, serve, stop, targetIn } from '../support/served.ts';
import { slowPenalties } from '../support/slow-penalties.ts';
import { type KeyPair, makeKeyPair, runProgram, sshArguments } from '../support/ssh-client.ts';

const deployed = new URL('../../deploy/several-gateways', import.meta.url).pathname;
/** What HAProxy connects from. */
const balancer = '127.0.0.30';

interface Place {
  readonly name: string;
  readonly folder: string;
  readonly sshPort: number;
  readonly healthPort: number;
  served?: Served;
}

let above: string;
let places: Place[];
let admin: KeyPair;
let port: number;
let password: string;
let storeUrl: string;
let knownHosts: string;
let stopHaproxy: (() => Promise<void>) | undefined;

async function start(place: Place): Promise<void> {
  const flags = {
    ...{ store: storeUrl, 'admin-key': `${admin.file}.pub`, config: join(above, 'config.json') },
    ...{ 'ssh-listen': `127.0.0.1:${place.sshPort}`, 'health-listen': `127.0.0.1:${place.healthPort}` },
    'drain-delay': 2,
  };
  const extra = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const variables = { PGPASSFILE: join(above, 'secrets/pgpass'), POSTERN_GATEWAY_NAME: place.name };
  const within = ['env', ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)];
  place.served = await serve(place.folder, extra, 'pipe', within);
}

/** PostgreSQL that asks for the password of prepare.sh. Resolves to the URL, which has none. */
async function openDatabase(): Promise<string> {
  const folder = join(above, 'postgres');
  await makeCluster(folder);
  await writeFile(
    join(folder, 'data/pg_hba.conf'),
    'local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n',
  );
  const server = await startServer(folder);
  const client = new pg.Client({ connectionString: urlOf(server, 'postgres') });
  await client.connect();
  await client.query(`ALTER USER postern PASSWORD '${password}'`);
  await client.query('CREATE DATABASE postern');
  await client.end();
  // The line of prepare.sh is for the port that the image has.
  const line = await readFile(join(above, 'secrets/pgpass'), 'utf8');
  await writeFile(join(above, 'secrets/pgpass'), line.replace(':5432:', `:${server.port}:`));
  return `postgres://postern@127.0.0.1:${server.port}/postern`;
}

/** The configuration as it is deployed, with the addresses and ports of here. */
async function haproxyText(): Promise<string> {
  let text = await readFile(join(deployed, 'haproxy.cfg'), 'utf8');
  const replace = (from: string, to: string) => {
    expect(text).toContain(from);
    text = text.replace(from, to);
  };
  replace('bind :2222', `bind 127.0.0.1:${port}`);
  replace('log stdout format raw local0', '');
  // Else each answer has 250 ms, and one that is late two times by a busy machine sends its people to the other.
  replace('timeout connect 3s', 'timeout connect 3s\n  timeout check 5s');
  replace('default-server inter 1s', `default-server source ${balancer} inter 250ms`);
  places.forEach(({ sshPort, healthPort }, index) => {
    const there = `127.0.0.1:${sshPort} check port ${healthPort}`;
    replace(`172.30.99.1${index + 1}:2222 check port 8081`, there);
  });
  return text;
}

beforeAll(async () => {
  above = await mkdtemp(join(tmpdir(), 'postern-several-'));
  // initdb runs as somebody else.
  execFileSync('chmod', ['711', above]);
  await cp(join(deployed, 'prepare.sh'), join(above, 'prepare.sh'));
  const env = { ...process.env, DOCKER_GID: '0' };
  execFileSync('sh', [join(above, 'prepare.sh'), 'gateway.example'], { env, stdio: 'ignore' });
  password = await readFile(join(above, 'secrets/postgres-password'), 'utf8');
  storeUrl = await openDatabase();
  admin = await makeKeyPair();
  const config = { proxyProtocolFrom: [balancer], perSourcePenalties: slowPenalties, workers: 1 };
  await writeFile(join(above, 'config.json'), JSON.stringify(config));
  places = [];
  for (const name of ['gateway1', 'gateway2']) {
    const folder = join(above, name);
    places.push({ name, folder, sshPort: await freePort(), healthPort: await freePort() });
    await mkdir(folder);
  }
  const [first, second] = places as [Place, Place];
  await giveHostKeys(join(first.folder, 'hostkeys'));
  await symlink(join(first.folder, 'hostkeys'), join(second.folder, 'hostkeys'));
  await start(first);
  await start(second);
  port = await freePort();
  ({ knownHosts } = await targetIn(first.folder, port));
  stopHaproxy = await runHaproxy(await haproxyText(), port);
});
afterAll(async () => {
  await stopHaproxy?.();
  await Promise.all((places ?? []).map(({ served }) => served && stop(served)));
  await stopServer(join(above, 'postgres'), 'immediate');
  await rm(above, { recursive: true, force: true });
});

function logIn(address: string, command = 'whoami', options: readonly string[] = [], stdin = '') {
  const args = ['-b', address, '-o', 'BatchMode=yes', ...options, '-i', admin.file];
  const to = ['-p', String(port), 'x@127.0.0.1', command];
  return runProgram('ssh', [...sshArguments({ port, knownHosts }, { args }), ...to], { stdin });
}

async function acceptedBy(place: Place): Promise<string[]> {
  const audit = await readFile(currentFile(join(place.folder, 'data')), 'utf8').catch(() => '');
  const lines = audit.split('\n').filter((line) => line.includes('"login-accepted"'));
  return lines.map((line) => String((JSON.parse(line) as { source?: string }).source));
}

/** Two addresses for each place, by which HAProxy comes there. */
async function findAddresses(): Promise<[string, string][]> {
  const found = new Map<Place, string[]>(places.map((place) => [place, []]));
  for (let last = 1; last < 40 && [...found.values()].some(({ length }) => length < 2); last++) {
    const address = `127.0.2.${last}`;
    expect((await logIn(address)).stderr).toBe('');
    await expect.poll(async () => (await Promise.all(places.map(acceptedBy))).flat()).toContain(address);
    for (const place of places)
      if ((await acceptedBy(place)).includes(address)) found.get(place)?.push(address);
  }
  return [...found.values()].map(([one = '', other = '']) => [one, other]);
}

describe('two gateways behind HAProxy', () => {
  let addresses: [string, string][];

  it('both take logins, and audit the client’s address, always by the same one', async () => {
    addresses = await findAddresses();
    expect(addresses.flat().filter(Boolean)).toHaveLength(4);
    for (const [index, [one]] of addresses.entries()) {
      expect((await logIn(one)).status).toBe(0);
      const other = places[1 - index] as Place;
      expect(await acceptedBy(other)).not.toContain(one);
    }
  });

  it('from= of a key means the client, on either', async () => {
    const listed = addresses.map(([one]) => one).join(',');
    const key = await makeKeyPair();
    const added = await logIn('127.0.0.1', 'ssh-key add', [], `from="${listed}" ${key.publicKey}\n`);
    expect(added.stderr).toBe('');
    const used = async (address: string) => {
      const { text } = await logIn(address, 'whoami', ['-i', key.file]);
      return /\* +\S+ +(\S+)/.exec(text)?.[1];
    };
    for (const [one, other] of addresses) {
      expect(await used(one)).toBe(key.fingerprint);
      expect(await used(other)).toBe(admin.fingerprint);
    }
  });

  it('a penalty is for the client, not for HAProxy nor who comes by it', async () => {
    const [guesser, neighbour] = addresses[0] as [string, string];
    for (let count = 0; count < 6; count++) {
      expect((await logIn(guesser, 'whoami', ['-l', `join+GUESS${count}`])).status).toBe(255);
    }
    expect((await logIn(guesser)).status).toBe(255);
    const list = await logIn(neighbour, 'penalty list');
    expect(list.text).toMatch(new RegExp(`${guesser.replaceAll('.', '\\.')} +invaliduser`));
    expect(list.text).not.toContain(balancer);
  });

  it('forged-header: one who is not listed names another address neither to a gateway nor through HAProxy', async () => {
    const forged = '198.51.100.7';
    const header = binaryHeader({ source: forged, local: '127.0.0.1', ports: [4711, 2222] });
    for (const to of [port, ...places.map(({ sshPort }) => sshPort)]) {
      const { socket } = openSocket(to);
      const ended = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {}).resume();
      socket.write(Buffer.concat([header, Buffer.from('SSH-2.0-forged\r\n')]));
      await ended;
    }
    for (const [, other] of addresses) {
      expect((await logIn(other, 'penalty list')).text).not.toContain(forged);
    }
    for (const { folder, served } of places) {
      expect(await readFile(currentFile(join(folder, 'data')), 'utf8')).not.toContain(forged);
      expect(served?.printed()).not.toContain(forged);
    }
  });

  it('one after the other is stopped and started anew, while logins go on: none fails', async () => {
    const failures: string[] = [];
    let isOver = false;
    let count = 0;
    const going = [addresses[0]?.[1], addresses[1]?.[0], addresses[1]?.[1]].map(async (address = '') => {
      for (; !isOver; count++) {
        const { status, stderr } = await logIn(address);
        if (status !== 0) failures.push(stderr);
      }
    });
    for (const place of places) {
      expect(await stop(place.served as Served)).toBe(0);
      await start(place);
      const after = (await acceptedBy(place)).length;
      await expect
        .poll(async () => (await acceptedBy(place)).length, { timeout: 30_000 })
        .toBeGreaterThan(after);
    }
    // A busy machine may have made few meanwhile.
    await expect.poll(() => count, { timeout: 40_000 }).toBeGreaterThan(20);
    isOver = true;
    await Promise.all(going);
    expect(failures).toEqual([]);
  }, 150_000);

  it('the password stands in no gateway’s environment or arguments', async () => {
    for (const { served } of places) {
      for (const what of ['environ', 'cmdline']) {
        const shown = await readFile(`/proc/${served?.child.pid}/${what}`, 'utf8');
        expect(shown).toContain(what === 'environ' ? 'PGPASSFILE=' : 'postgres://');
        expect(shown).not.toContain(password);
      }
    }
  });
});
