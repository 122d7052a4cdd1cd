/** A Docker Engine that one test has for itself, and may kill. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../../scripts/debian-packages.mjs';
import { until } from './container-processes.ts';
import { engineAnswers, engineHost, removeContainersOf } from './engine.ts';
import type { EngineCertificates } from './engine-certificates.ts';

const run = promisify(execFile);

export interface OwnEngine {
  /** As DOCKER_HOST says it. */
  readonly host: string;
  /** Runs the docker program; resolves to its stdout, trimmed. */
  docker(...args: readonly string[]): Promise<string>;
  /** kill -9; its containers end when it starts again. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Removes its containers, and what it kept. */
  stop(): Promise<void>;
}

export interface OwnEngineOptions {
  /** It listens by TLS, too, at an address of its own. */
  readonly tls?: EngineCertificates;
  /** As an engine on another machine: this one's temporary files are not there. */
  readonly isElsewhere?: boolean;
}

/** Where an engine with `tls` listens. */
export const tlsAddress = '10.213.7.2';

/** Starts one without a network of its own, which has these images of the machine's engine. */
export async function startOwnEngine(
  images: readonly string[],
  options: OwnEngineOptions = {},
): Promise<OwnEngine> {
  const folder = await mkdtemp(join(options.isElsewhere ? '/var/tmp' : tmpdir(), 'postern-engine-'));
  const host = `unix://${folder}/docker.sock`;
  let daemon: ChildProcess;
  const exited = () =>
    new Promise<void>((resolve) => {
      if (daemon.exitCode !== null || daemon.signalCode !== null) resolve();
      else daemon.once('exit', () => resolve());
    });
  const docker = async (...args: readonly string[]) =>
    (await run('docker', ['-H', host, ...args], { maxBuffer: 64 * 1024 * 1024 })).stdout.trim();
  const start = async () => {
    // Whoever has the number now, or is a zombie, would be taken for the containerd that died with the one before.
    await rm(`${folder}/exec/containerd/containerd.pid`, { force: true });
    await rm(`${folder}/docker.pid`, { force: true });
    daemon = spawnDaemon(folder, host, options);
    if (await until(() => engineAnswers(host), 90_000)) return options.tls && linkTo(daemon.pid ?? 0);
    throw new Error(`dockerd does not start:\n${(await readFile(`${folder}/log`, 'utf8')).slice(-3_000)}`);
  };
  await start();
  execFileSync(
    'sh',
    [
      '-c',
      'from=$0 to=$1; shift; docker -H "$from" save "$@" | docker -H "$to" load',
      engineHost(),
      host,
      ...images,
    ],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  return {
    host,
    docker,
    start,
    async kill() {
      daemon.kill('SIGKILL');
      await exited();
    },
    async stop() {
      if (!(await engineAnswers(host))) await start();
      await removeContainersOf(host, () => true);
      daemon.kill('SIGTERM');
      await exited();
      await unmountAllIn(folder);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Engines that were killed have left some. */
export async function unmountAllIn(folder: string): Promise<void> {
  const table = await readFile('/proc/self/mounts', 'utf8');
  const places = table.split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const place of places.filter((each) => each.startsWith(`${folder}/`)).toReversed()) {
    await run('umount', [place]);
  }
}

/** A wire from this network to that of the process. It goes away with that. */
async function linkTo(pid: number): Promise<void> {
  const inside = ['nsenter', '--target', String(pid), '--net', '--', 'ip'];
  // That of an engine that was killed: the kernel takes its time over a network whose last process has gone.
  await run('ip', ['link', 'delete', 'postern-tls']).catch(() => {});
  const commands = [
    ['ip', 'link', 'add', 'postern-tls', 'type', 'veth', 'peer', 'name', 'outside', 'netns', String(pid)],
    ['ip', 'address', 'add', '10.213.7.1/30', 'dev', 'postern-tls'],
    ['ip', 'link', 'set', 'postern-tls', 'up'],
    [...inside, 'address', 'add', `${tlsAddress}/30`, 'dev', 'outside'],
    [...inside, 'link', 'set', 'outside', 'up'],
  ] as const;
  for (const [program, ...args] of commands) await run(program, args);
}

/** Of dockerd, for an engine that wants certificates of those who connect. */
const tlsFlags = ({ folder }: EngineCertificates) => [
  ...['--host', 'tcp://0.0.0.0:2376', '--tlsverify', `--tlscacert=${folder}/ca.pem`],
  ...[`--tlscert=${folder}/server-cert.pem`, `--tlskey=${folder}/server-key.pem`],
];

function spawnDaemon(folder: string, host: string, { tls, isElsewhere }: OwnEngineOptions): ChildProcess {
  const places = ['--data-root', `${folder}/data`, '--exec-root', `${folder}/exec`];
  const network = ['--iptables=false', '--ip6tables=false', '--bridge=none'];
  const dockerd = findProgram('dockerd') ?? 'dockerd';
  const args = [
    dockerd,
    '--host',
    host,
    ...places,
    '--pidfile',
    `${folder}/docker.pid`,
    ...network,
    ...(tls ? tlsFlags(tls) : []),
  ];
  const log = openSync(`${folder}/log`, 'a');
  // It ends with the tests, however they end. With `--bridge=none` an engine removes docker0, which is the machine's engine's:
  // so it has a network namespace of its own.
  const apart = isElsewhere
    ? ['unshare', '--net', '--mount', '--', 'sh', '-c', 'mount -t tmpfs none /tmp && exec "$@"', 'sh']
    : ['unshare', '--net', '--'];
  const daemon = spawn('setpriv', ['--pdeathsig', 'TERM', '--', ...apart, ...args], {
    stdio: ['ignore', log, log],
    cwd: '/',
  });
  closeSync(log);
  return daemon;
}
