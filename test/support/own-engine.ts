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

/** Starts one without a network of its own, which has these images of the machine's engine. */
export async function startOwnEngine(images: readonly string[]): Promise<OwnEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-engine-'));
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
    daemon = spawnDaemon(folder, host);
    if (await until(() => engineAnswers(host), 90_000)) return;
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
async function unmountAllIn(folder: string): Promise<void> {
  const table = await readFile('/proc/self/mounts', 'utf8');
  const places = table.split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const place of places.filter((each) => each.startsWith(`${folder}/`)).toReversed()) {
    await run('umount', [place]);
  }
}

function spawnDaemon(folder: string, host: string): ChildProcess {
  const places = ['--data-root', `${folder}/data`, '--exec-root', `${folder}/exec`];
  const network = ['--iptables=false', '--ip6tables=false', '--bridge=none'];
  const dockerd = findProgram('dockerd') ?? 'dockerd';
  const args = [dockerd, '--host', host, ...places, '--pidfile', `${folder}/docker.pid`, ...network];
  const log = openSync(`${folder}/log`, 'a');
  // It ends with the tests, however they end. With `--bridge=none` an engine removes docker0, which is the machine's engine's:
  // so it has a network namespace of its own.
  const daemon = spawn('setpriv', ['--pdeathsig', 'TERM', '--', 'unshare', '--net', '--', ...args], {
    stdio: ['ignore', log, log],
    cwd: '/',
  });
  closeSync(log);
  return daemon;
}
