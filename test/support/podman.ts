/** Podman's Docker-compatible service, for one test: with storage of its own, and images of the machine's engine. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './container-processes.ts';
import { engineAnswers, engineHost } from './engine.ts';
import { unmountAllIn } from './own-engine.ts';
import { runProgram } from './ssh-client.ts';

export interface Podman {
  /** As DOCKER_HOST says it. */
  readonly host: string;
  /** Runs podman; resolves to its stdout, trimmed. */
  podman(...args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/** What a machine without systemd, and with limits of its own, needs said. */
const settings = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
`;

export async function startPodman(images: readonly string[]): Promise<Podman> {
  const folder = await mkdtemp('/var/tmp/postern-podman-');
  const host = `unix://${folder}/podman.sock`;
  const env = { ...process.env, CONTAINERS_CONF: join(folder, 'containers.conf') };
  await writeFile(env.CONTAINERS_CONF, settings);
  const places = ['--root', `${folder}/root`, '--runroot', `${folder}/run`];
  const podman = async (...args: readonly string[]) => {
    const ended = await runProgram('podman', [...places, ...args], { env, timeoutMs: 60_000 });
    if (ended.status !== 0) throw new Error(`podman ${args.join(' ')}: ${ended.stderr}`);
    return ended.text.trim();
  };
  const load = [
    '-c',
    'from=$0; images=$1; shift; docker -H "$from" save $images | podman "$@" load -q',
    engineHost(),
  ];
  execFileSync('sh', [...load, images.join(' '), ...places], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const service = ['podman', ...places, 'system', 'service', '--time=0', host];
  // It ends with the tests, however they end.
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', ...service], { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (!(await until(() => engineAnswers(host), 60_000))) throw new Error('podman does not serve');
  return {
    host,
    podman,
    async stop() {
      // Some depend on others, and go with them.
      await podman('rm', '--all', '--force', '--time=0', '--depend');
      child.kill();
      await ended;
      await endAllOf(folder);
      await unmountAllIn(folder);
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** Podman leaves a monitor for five minutes after each exec, and cleans up after containers by itself. */
async function endAllOf(folder: string): Promise<void> {
  const running = await processesOf(folder);
  for (const pid of running) {
    try {
      process.kill(pid);
    } catch {
      // It went by itself.
    }
  }
  await until(async () => (await processesOf(folder)).length === 0, 10_000);
}

async function processesOf(folder: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return pids.filter((_, index) => lines[index]?.includes(folder)).map(Number);
}
