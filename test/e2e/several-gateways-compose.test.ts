/** deploy/several-gateways/compose.yaml, as docker-compose reads it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';

const deployed = new URL('../../deploy/several-gateways', import.meta.url).pathname;

interface Service {
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly networks: Readonly<Record<string, { readonly ipv4_address?: string } | null>>;
  readonly ports?: readonly unknown[];
  readonly stop_grace_period?: string;
  readonly volumes: readonly string[];
}

describe('compose.yaml', () => {
  let services: Record<string, Service>;
  let printed: string;
  let folder: string;
  const bare = { PATH: process.env['PATH'] };
  const prepare = (args: readonly string[], env = {}) =>
    spawnSync('sh', [join(folder, 'prepare.sh'), ...args], { env: { ...bare, ...env }, encoding: 'utf8' });
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-compose-'));
    for (const name of ['compose.yaml', 'prepare.sh']) await cp(join(deployed, name), join(folder, name));
    expect(prepare(['gateway.example'], { DOCKER_GID: '999' })).toMatchObject({ status: 0 });
    // As any later command: nothing but what prepare.sh left tells it.
    const file = join(folder, 'compose.yaml');
    printed = execFileSync('docker-compose', ['-f', file, 'config'], { env: bare, encoding: 'utf8' });
    const read = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))';
    const json = execFileSync('/usr/bin/python3', ['-c', read], { input: printed, encoding: 'utf8' });
    ({ services } = JSON.parse(json) as { services: Record<string, Service> });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const addressOf = (name: string) => services[name]?.networks['front']?.ipv4_address;

  it.each(['gateway1', 'gateway2'])(
    'gives %s a configuration that holds, its own name, and time to drain',
    (name) => {
      const environment = services[name]?.environment ?? {};
      const env = Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, String(value)]));
      const { config, unknownVariables } = loadConfig({ env, flags: {} });
      expect(unknownVariables).toEqual([]);
      expect(config).toMatchObject({ gatewayName: name, proxyProtocolFrom: [addressOf('haproxy')] });
      const grace = Number.parseInt(services[name]?.stop_grace_period ?? '', 10);
      expect(grace).toBeGreaterThan(config.drainDelaySeconds + config.drainTimeoutSeconds);
    },
  );

  it('lets people in by HAProxy alone, which knows where the gateways are', async () => {
    const published = Object.keys(services).filter((name) => services[name]?.ports?.length);
    expect(published).toEqual(['haproxy']);
    const text = await readFile(join(deployed, 'haproxy.cfg'), 'utf8');
    const known = [...text.matchAll(/^ *server (\S+) (\S+):2222 check port 8081$/gm)];
    expect(known.map(([, name, address]) => [name, address])).toEqual(
      ['gateway1', 'gateway2'].map((name) => [name, addressOf(name)]),
    );
  });

  it('is told the name and the group by .env, which prepare.sh writes once, for whoever runs compose', async () => {
    expect(services['gateway1']?.environment?.['POSTERN_DOMAIN']).toBe('gateway.example');
    expect(printed).toMatch(/group_add:\s+- '999'/);
    const file = join(folder, '.env');
    expect((await stat(file)).mode & 0o777).toBe(0o644);
    const written = await readFile(file, 'utf8');
    expect(prepare(['other.example'], { DOCKER_GID: '7' }).status).toBe(0);
    expect(await readFile(file, 'utf8')).toBe(written);
    await writeFile(file, 'DOCKER_GID=5\nMINE=1');
    expect(prepare([], { POSTERN_DOMAIN: 'third.example' }).status).toBe(0);
    expect(await readFile(file, 'utf8')).toBe('DOCKER_GID=5\nMINE=1\nPOSTERN_DOMAIN=third.example\n');
    await writeFile(file, written);
  });

  it.each([
    ['no name', [], 'say the name that people call the gateways by: ./prepare.sh gateway.example'],
    ['one that compose would expand', ['a$b'], 'is a host name or an address.'],
  ])('is not prepared with %s', async (_what, args, sentence) => {
    const file = join(folder, '.env');
    const written = await readFile(file, 'utf8');
    await rm(file);
    const { status, stderr } = prepare(args, { DOCKER_GID: '999' });
    expect([status, stderr.trim().split('\n').length]).toEqual([1, 1]);
    expect(stderr).toContain(sentence);
    await expect(stat(file)).rejects.toThrow('ENOENT');
    await writeFile(file, written);
  });

  it('names the files of secrets that prepare.sh makes, for their owners alone, and holds none', async () => {
    const read = () => readFile(join(folder, 'secrets/postgres-password'), 'utf8');
    const password = await read();
    expect(password).toMatch(/^[0-9a-f]{48}$/);
    expect(prepare([]).status).toBe(0);
    expect(await read()).toBe(password);
    for (const name of ['postgres-password', 'pgpass']) {
      expect((await stat(join(folder, 'secrets', name))).mode & 0o777).toBe(0o600);
    }
    expect(printed).not.toContain(password);
    expect(printed).not.toMatch(/PGPASSWORD|POSTGRES_PASSWORD:/);
    for (const name of ['gateway1', 'gateway2']) {
      expect(services[name]?.volumes).toContain(`${folder}/secrets/pgpass:/run/secrets/pgpass:ro`);
      expect(services[name]?.environment?.['PGPASSFILE']).toBe('/run/secrets/pgpass');
    }
  });
});
