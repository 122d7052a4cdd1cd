/** The gateway, built and started by its own launcher, as in production: what is measured is what ships. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { childPeer, startChild } from './child-server.ts';
import { ciphers, makeFolder, type Peer, type RunningPeer } from './peer.ts';

const program = new URL('../../bin/postern', import.meta.url).pathname;

export interface RunningGateway extends RunningPeer {
  readonly folder: string;
  readonly httpUrl: string;
}

/** Limits are out of the way, as they are at the others. */
const config = {
  perSourceMaxStartups: 10_000,
  maxStartups: { start: 10_000, ratePercent: 100, full: 10_000 },
  maxConnections: 20_000,
  maxConnectionsPerAccount: 20_000,
  tokenRatePerSecond: 1_000_000,
  tokenRateBurst: 1_000_000,
};

/** Its key is nothing for the containers that somebody keeps in step here. */
export const unsynced = { POSTERN_SYNC: 'off' };

// A signal that collects, so that memory is what is held and not what was used once.
const collect = `process.on("SIGUSR2", () => { gc(); gc(); });`;
const collectable = {
  NODE_OPTIONS: `--expose-gc --import=data:text/javascript,${encodeURIComponent(collect)}`,
};

export interface GatewayOptions {
  /** Connection workers; undefined: as the program does when nobody says. */
  readonly workers?: number;
  readonly collectable?: boolean;
  /** A data folder that is there already. */
  readonly dataDir?: string;
}

export async function startPostern(key: string, options: GatewayOptions = {}): Promise<RunningGateway> {
  const folder = makeFolder('gateway');
  const file = join(folder.path, 'config.json');
  const workers = options.workers === undefined ? {} : { workers: options.workers };
  writeFileSync(file, JSON.stringify({ ...config, ...workers }));
  const flags = {
    config: file,
    data: options.dataDir ?? join(folder.path, 'data'),
    hostkeys: join(folder.path, 'hostkeys'),
    'admin-key': `${key}.pub`,
    'ssh-listen': '127.0.0.1:0',
    'http-listen': '127.0.0.1:0',
    'log-level': 'error',
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const child = startChild(program, ['serve', ...args], {
    ...unsynced,
    ...(options.collectable ? collectable : {}),
  });
  const announced = await child.outputUntil(/^Host key/m);
  const port = Number(/listens for SSH on 127\.0\.0\.1:(\d+)/.exec(announced)?.[1]);
  return {
    ...childPeer({ name: nameOf(options), key, port, child, folder }),
    httpUrl: String(/POST (http:\S+)\/exec/.exec(announced)?.[1]),
    user: 'lobby',
    folder: folder.path,
  };
}

const nameOf = ({ workers }: GatewayOptions) =>
  workers === undefined ? 'Postern' : `Postern, ${workers} ${workers === 1 ? 'worker' : 'workers'}`;

export const postern: Peer = {
  name: nameOf({}),
  version: () => execFileSync(program, ['--version'], { encoding: 'utf8' }).trim(),
  ciphers,
  start: (key) => startPostern(key),
};

/** The gateway with so many connection workers; what runs where only these differ. */
export const posternWith = (workers: number): Peer => ({
  ...postern,
  name: nameOf({ workers }),
  start: (key) => startPostern(key, { workers }),
});

/** Whether this build has connection workers at all. */
export function hasWorkers(): boolean {
  return execFileSync(program, ['serve', '--help'], { encoding: 'utf8' }).includes('--workers');
}
