/** Connections that are known by the worker in which each lives. */
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import ssh2, { type ParsedKey } from 'ssh2';
import { createLightClient } from './light-client.ts';
import { until, workersWith } from './processes.ts';
import type { Served } from './served.ts';

/** A connection in each of the two workers, which stays open: by the pid of the worker. `file`: the private key. */
export async function openInBoth(served: Served, file: string): Promise<Map<number, Socket>> {
  const key = ssh2.utils.parseKey(await readFile(file)) as ParsedKey;
  const client = createLightClient(served.port, key.getPrivatePEM());
  const held = new Map<number, Socket>();
  while (held.size < 2) {
    const socket = await client.logIn();
    const port = socket.localPort as number;
    const [worker] = workersWith(served, port);
    if (worker !== undefined && !held.has(worker)) {
      held.set(worker, socket);
      continue;
    }
    socket.destroy();
    // Else it would be counted with those that stay.
    await until(() => workersWith(served, port).length === 0);
  }
  return held;
}
