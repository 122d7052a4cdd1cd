/**
 * deploy/several-gateways as docker-compose runs it, with the gateways' own image. HAProxy and PostgreSQL are this machine's programs,
 * in containers with the services' names, addresses, secrets and volumes.
 */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { engineSocket, images, runLabel, testLabel } from '../support/engine.ts';
import { temporaryFile } from '../support/gateway.ts';
import { buildGatewayImage, findInvite, gatewayImage } from '../support/gateway-image.ts';
import { type KeyPair, makeKeyPair, runProgram, type SshTarget, ssh } from '../support/ssh-client.ts';

const deployed = new URL('../../deploy/several-gateways', import.meta.url).pathname;
const project = `postern-test-${process.pid}`;
/** Of its own, as several runs share an engine. */
const net = `172.30.${100 + (process.pid % 100)}`;

let folder: string;
let target: SshTarget;
let admin: KeyPair;

const compose = (...args: readonly string[]) =>
  runProgram('docker-compose', ['-p', project, '-f', join(folder, 'compose.json'), ...args], {
    timeoutMs: 120_000,
  });
const inviteOf = async (gateway: string) => findInvite((await compose('logs', '--no-color', gateway)).text);
const whoami = () => ssh(target, 'whoami', { key: admin });
const sourcesAt = async (gateway: string) => {
  const { text } = await compose('exec', '-T', gateway, 'cat', '/data/audit/audit.jsonl');
  const logins = text.split('\n').filter((line) => line.includes('"login-accepted"'));
  return logins.map((line) => (JSON.parse(line) as { source: string }).source);
};

/** What the image of that name does with its variables and secrets. */
const postgres = `
set -e
data=/var/lib/postgresql/data
echo postgres:x:999:999::/tmp:/bin/sh >>/etc/passwd
as() { setpriv --reuid=999 --regid=999 --clear-groups -- "$@"; }
bin=$(ls -d /usr/lib/postgresql/*/bin)
install -o 999 -m 0600 "$POSTGRES_PASSWORD_FILE" /tmp/password
install -d -o 999 -m 0700 $data
cd /tmp
if [ ! -e $data/PG_VERSION ]; then
  as $bin/initdb -D $data --username="$POSTGRES_USER" --pwfile=/tmp/password --auth=scram-sha-256 --encoding=UTF8 --no-locale
  echo 'host all all all scram-sha-256' >>$data/pg_hba.conf
  echo 'CREATE DATABASE postern' | as $bin/postgres --single -D $data postgres
fi
exec setpriv --reuid=999 --regid=999 --clear-groups -- $bin/postgres -D $data -c listen_addresses='*' -c unix_socket_directories=/tmp
`;

interface Service {
  build?: unknown;
  image: string;
  command?: readonly string[];
  labels?: Readonly<Record<string, string>>;
  environment?: Record<string, string>;
  healthcheck?: Record<string, unknown>;
  ports?: readonly string[];
  volumes: string[];
}

/** What the file says, read by docker-compose; only images, the published port and how often health is looked at differ. */
async function composeFile(): Promise<string> {
  const args = ['-f', join(folder, 'compose.yaml'), 'config'];
  const printed = execFileSync('docker-compose', args, { encoding: 'utf8' });
  const read = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))';
  const json = execFileSync('/usr/bin/python3', ['-c', read], { input: printed, encoding: 'utf8' });
  const file = JSON.parse(json.replaceAll('172.30.99', net)) as { services: Record<string, Service> };
  const usr = '/usr:/usr:ro';
  for (const [name, service] of Object.entries(file.services)) {
    delete service.build;
    service.labels = { [testLabel]: '1', [runLabel]: process.env['TEST_RUN_ID'] ?? '' };
    service.volumes = service.volumes.map((each) =>
      each
        .replace(/^\/var\/run\/docker\.sock:/, `${engineSocket()}:`)
        .replace('/usr/local/etc/haproxy/haproxy.cfg', '/etc/haproxy.cfg'),
    );
    if (name.startsWith('gateway')) {
      service.image = gatewayImage;
      service.healthcheck = { interval: '1s', retries: 60 };
      // Other tests have containers on this engine, whose keys are not its own to keep in step.
      service.environment = { ...service.environment, POSTERN_SYNC: 'off' };
    } else {
      service.image = images.debian;
      service.volumes.push(usr);
    }
  }
  const { haproxy, postgres: database } = file.services as Record<'haproxy' | 'postgres', Service>;
  haproxy.command = ['/usr/sbin/haproxy', '-W', '-db', '-f', '/etc/haproxy.cfg'];
  haproxy.ports = ['127.0.0.1::2222'];
  database.command = ['sh', '-c', postgres.replaceAll('$', '$$$$')];
  return JSON.stringify(file);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-several-in-containers-'));
  await cp(deployed, folder, { recursive: true });
  // The engine's socket is not where it is for others.
  const env = { ...process.env, DOCKER_GID: String(statSync(engineSocket()).gid) };
  execFileSync('sh', [join(folder, 'prepare.sh'), 'gateway.example'], { env, stdio: 'ignore' });
  const config = join(folder, 'haproxy.cfg');
  await writeFile(config, (await readFile(config, 'utf8')).replaceAll('172.30.99', net));
  await writeFile(join(folder, 'compose.json'), await composeFile());
  await buildGatewayImage();
  const up = await compose('up', '-d');
  if (up.status !== 0) throw new Error(`${up.stderr}${(await compose('logs', '--tail=40')).text}`);
  const place = (await compose('port', 'haproxy', '2222')).text.trim();
  const port = Number(place.split(':')[1]);
  // One key, for each is a connection that does not log in, and an address has a few of those.
  const scan = async () => {
    const { text } = await runProgram('ssh-keyscan', ['-t', 'ed25519', '-p', String(port), '127.0.0.1']);
    return text.includes('ssh-ed25519') && text;
  };
  const found = await vi.waitUntil(scan, { timeout: 60_000, interval: 200 });
  target = { port, knownHosts: await temporaryFile('known_hosts', found) };
  admin = await makeKeyPair();
  // Both have started, and what either of them shows lets in.
  await vi.waitUntil(async () => (await inviteOf('gateway2')) !== undefined, {
    timeout: 60_000,
    interval: 500,
  });
  const invite = await inviteOf('gateway1');
  const joined = await ssh(target, 'ada', { key: admin, login: String(invite) });
  if (joined.status !== 0) throw new Error(joined.stderr);
}, 600_000);

afterAll(async () => {
  await compose('down', '--volumes', '--timeout=1');
  await rm(folder, { recursive: true, force: true });
}, 120_000);

it('people log in through HAProxy, and the audit has where they come from', async () => {
  for (let time = 0; time < 3; time++) expect((await whoami()).text).toContain('Account: ada');
  const sources = (await Promise.all(['gateway1', 'gateway2'].map(sourcesAt))).flat();
  expect(sources.length).toBeGreaterThanOrEqual(3);
  // Of this machine on that network; HAProxy is .10 there.
  expect(new Set(sources)).toEqual(new Set([`${net}.1`]));
});

it('one gateway is stopped, and logins go on: none fails', async () => {
  const counts = await Promise.all(
    ['gateway1', 'gateway2'].map(async (each) => (await sourcesAt(each)).length),
  );
  const [used, other] =
    (counts[0] ?? 0) > (counts[1] ?? 0) ? ['gateway1', 'gateway2'] : ['gateway2', 'gateway1'];
  let isStopped = false;
  const stopping = compose('stop', used as string).then((outcome) => {
    isStopped = true;
    return outcome;
  });
  const failed: unknown[] = [];
  while (!isStopped) {
    const { status, stderr } = await whoami();
    if (status !== 0) failed.push(stderr);
  }
  expect((await stopping).status).toBe(0);
  expect(failed).toEqual([]);
  expect((await whoami()).text).toContain('Account: ada');
  expect(new Set(await sourcesAt(other as string))).toEqual(new Set([`${net}.1`]));
});
