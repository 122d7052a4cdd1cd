/** deploy/several-gateways/compose.yaml, as docker-compose reads it. */
import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
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
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-compose-'));
    const env = { ...process.env, POSTERN_DOMAIN: 'gateway.example', DOCKER_GID: '999' };
    const file = join(folder, 'compose.yaml');
    await cp(join(deployed, 'compose.yaml'), file);
    printed = execFileSync('docker-compose', ['-f', file, 'config'], { env, encoding: 'utf8' });
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

  it('names the files of secrets that prepare.sh makes, for their owners alone, and holds none', async () => {
    const prepare = join(folder, 'prepare.sh');
    await cp(join(deployed, 'prepare.sh'), prepare);
    const make = async () => {
      execFileSync('sh', [prepare], { stdio: 'ignore' });
      return readFile(join(folder, 'secrets/postgres-password'), 'utf8');
    };
    const password = await make();
    expect(password).toMatch(/^[0-9a-f]{48}$/);
    expect(await make()).toBe(password);
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
