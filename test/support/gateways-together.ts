/** Two gateways on one database: `north` in this process, and `south` a program with a supervisor and a worker. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestGateway, type TestGateway } from './gateway.ts';
import { createTestDatabase } from './postgres.ts';
import { isRunning, servingWorkers, supervisorsOf, until } from './processes.ts';
import { type Served, serve, stop, targetIn } from './served.ts';
import { type SshOptions, type SshTarget, ssh } from './ssh-client.ts';

export interface GatewaysTogether {
  readonly databaseUrl: string;
  readonly north: TestGateway;
  readonly south: South;
  readonly stop: () => Promise<void>;
}

export interface South {
  readonly folder: string;
  readonly target: () => SshTarget;
  /** As `north.ssh`. */
  readonly ssh: TestGateway['ssh'];
  /** Resolves when all its processes are dead. */
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<Served>;
}

/** `config` is for both. */
export async function startGatewaysTogether(config: Record<string, unknown> = {}): Promise<GatewaysTogether> {
  const database = await createTestDatabase();
  const store = database.url;
  const north = await startTestGateway({ config: { ...config, store, gatewayName: 'north' } });
  const folder = await mkdtemp(join(tmpdir(), 'postern-south-'));
  const file = join(folder, 'config.json');
  const own = { store, gatewayName: 'south', workers: 1, perSourcePenaltyExemptList: ['127.0.0.0/8'] };
  await writeFile(file, JSON.stringify({ ...config, ...own }));
  let served: Served;
  let target: SshTarget;
  const start = async () => {
    served = await serve(folder, [`--config=${file}`, `--store=${store}`]);
    target = await targetIn(folder, served.port);
    return served;
  };
  await start();
  return {
    databaseUrl: store,
    north,
    south: {
      folder,
      target: () => target,
      ssh: (command, options: SshOptions = {}) => ssh(target, command, { key: north.admin, ...options }),
      kill: async () => {
        const pids = [served.child.pid ?? 0, ...supervisorsOf(served), ...servingWorkers(served)];
        for (const pid of pids) process.kill(pid, 'SIGKILL');
        await until(() => !pids.some(isRunning));
      },
      start,
    },
    stop: async () => {
      await Promise.all([isRunning(served.child.pid ?? 0) && stop(served), north.stop()]);
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
