/** Connections that are known by the worker in which each lives. */
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import ssh2, { type ParsedKey } from 'ssh2';
import { createLightClient } from './light-client.ts';
import { workersWith } from './processes.ts';
import type { Served } from './served.ts';

/** A connection in each of the two workers, which stays open: by the pid of the worker. `file`: the private key. */
export async function openInBoth(served: Served, file: string): Promise<Map<number, Socket>> {
  const key = ssh2.utils.parseKey(await readFile(file)) as ParsedKey;
  const client = createLightClient(served.port, key.getPrivatePEM());
  const held = new Map<number, Socket>();
  while (held.size < 2) {
    const socket = await client.logIn();
    const [worker = 0] = workersWith(served, socket.localPort as number);
    if (held.has(worker)) socket.destroy();
    else held.set(worker, socket);
  }
  return held;
}
