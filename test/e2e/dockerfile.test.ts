import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineSocket, openEngine, removeContainer, startContainer, testLabel } from '../support/engine.ts';
import { temporaryFile } from '../support/gateway.ts';
import {
  buildGatewayImage,
  dockerLong as docker,
  findInvite,
  gatewayImage as image,
  testLabels,
} from '../support/gateway-image.ts';
import { type KeyPair, makeKeyPair, runProgram, type SshTarget, ssh } from '../support/ssh-client.ts';

const root = join(import.meta.dirname, '../..');
const name = `postern-test-gateway-${process.pid}`;
const volumes = { data: `${name}-data`, hostkeys: `${name}-hostkeys` };

interface ComposeService {
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly tmpfs: readonly string[];
  readonly init: boolean;
  readonly stop_grace_period: string;
}

/** What deploy/compose.yaml closes the container in with, as flags of `docker run`. */
function composeFlags(): string[] {
  const read = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))';
  const text = execFileSync('/usr/bin/python3', ['-c', read, join(root, 'deploy/compose.yaml')], {
    encoding: 'utf8',
  });
  const { gateway } = (JSON.parse(text) as { services: { gateway: ComposeService } }).services;
  expect([gateway.read_only, gateway.init]).toEqual([true, true]);
  return [
    ...['--read-only', '--init'],
    ...gateway.cap_drop.map((each) => `--cap-drop=${each}`),
    ...gateway.security_opt.map((each) => `--security-opt=${each}`),
    ...gateway.tmpfs.map((each) => `--tmpfs=${each}`),
    `--stop-timeout=${Number.parseInt(gateway.stop_grace_period, 10)}`,
  ];
}

/** `docker run` as README.md says it, on any free port of the loopback address, and closed in as with compose. */
const start = () =>
  docker(
    ...['run', '--detach', '--name', name, ...testLabels(), '--publish', '127.0.0.1::2222'],
    ...composeFlags(),
    ...['--volume', `${volumes.data}:/data`, '--volume', `${volumes.hostkeys}:/hostkeys`],
    ...['--volume', `${engineSocket()}:/var/run/docker.sock`],
    ...['--group-add', String(statSync(engineSocket()).gid)],
    // Other tests have containers on this engine, whose keys are not its own to keep in step.
    ...['--env', 'POSTERN_SYNC=off'],
    ...[image, '--domain', 'gateway.example'],
  );

/** Waits for the port and reads the host keys, which are then checked by every ssh. */
async function findTarget(): Promise<SshTarget> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = Number(/:(\d+)/.exec(await docker('port', name, '2222/tcp'))?.[1]);
    const { text } = await runProgram('ssh-keyscan', ['-p', String(port), '127.0.0.1']);
    if (text.includes('ssh-ed25519')) return { port, knownHosts: await temporaryFile('known_hosts', text) };
    await delay(200);
  }
  throw new Error(`the gateway does not answer: ${await docker('logs', name)}`);
}

beforeAll(async () => {
  await buildGatewayImage();
  await start();
}, 900_000);

afterAll(async () => {
  await removeContainer(name);
  await docker('volume', 'rm', '--force', ...Object.values(volumes));
  // Earlier builds' images, which the tag has left.
  await docker('image', 'prune', '--force', '--filter', `label=${testLabel}=1`);
});

describe('the image of the Dockerfile', () => {
  let target: SshTarget;
  let key: KeyPair;

  it('runs the gateway, and ssh with the printed invite makes the first admin', async () => {
    target = await findTarget();
    key = await makeKeyPair();
    const shown = async () => findInvite(await docker('logs', name));
    // It listens before it has printed all it has to say.
    await expect.poll(shown, { timeout: 10_000 }).toBeDefined();
    const joined = await ssh(target, 'ada', { key, login: (await shown()) as string });
    expect(joined).toMatchObject({ status: 0 });
    expect((await ssh(target, 'whoami', { key })).text).toContain('ada');
  });

  it('reaches containers by the mounted socket, through the group that --group-add gives', async () => {
    const container = await startContainer({ image: 'busybox' });
    const answer = await ssh(target, 'echo from inside', { key, login: `rexec-${container.name}` });
    expect(answer).toMatchObject({ text: 'from inside\n', stderr: '', status: 0 });
  });

  it('runs as a user of its own that owns its folders and nothing of the program', async () => {
    expect(await docker('exec', name, 'id', '-un')).toBe('postern');
    expect(await docker('exec', name, 'find', '/app', '-user', 'postern')).toBe('');
    expect(await docker('exec', name, 'find', '/hostkeys', '-name', '*key', '!', '-perm', '0600')).toBe('');
  });

  it("uses ssh2's native crypto and carries nothing that only builds need", async () => {
    const probe = "console.log(require('ssh2/lib/protocol/crypto.js').bindingAvailable)";
    expect(await docker('exec', '--workdir', '/app', name, 'node_modules/.bin/node', '-e', probe)).toBe(
      'true',
    );
    const found = await docker('exec', name, 'ls', '/app', '/app/node_modules/typescript').catch(String);
    expect(found).toMatch(/cannot access '\/app\/node_modules\/typescript'/);
    expect(found).not.toMatch(/^(src|test)$/m);
  });

  it('reports itself healthy', async () => {
    const { Config } = await openEngine().getImage(image).inspect();
    const [kind, ...check] = Config.Healthcheck?.Test ?? [];
    expect(kind).toBe('CMD');
    await expect(docker('exec', name, ...check)).resolves.toBe('');
  });

  it("says once in its log that whoever comes by the published port has the bridge's address", async () => {
    const { stderr } = await runProgram('docker', ['logs', name]);
    const warnings = stderr.split('\n').filter((line) => line.includes("of this container's bridge"));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('proxyProtocolFrom');
  });

  it('answers the operator inside the container', async () => {
    expect(await docker('exec', name, 'postern', 'account', 'list')).toContain('ada');
  });

  it('stops at SIGTERM, and a new container on the same volumes has the accounts and the host keys', async () => {
    const before = Date.now();
    await docker('stop', '--time', '20', name);
    expect(Date.now() - before).toBeLessThan(15_000);
    expect((await openEngine().getContainer(name).inspect()).State.ExitCode).toBe(0);
    await removeContainer(name);
    await start();
    const again = await findTarget();
    // The port is another one; the keys must be those that were known before.
    const known = await readFile(target.knownHosts, 'utf8');
    await writeFile(again.knownHosts, known.replaceAll(`:${target.port} `, `:${again.port} `));
    expect((await ssh(again, 'whoami', { key })).text).toContain('ada');
  });
});
