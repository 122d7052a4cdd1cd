/** A store served over a socket, and clients of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type IpcListener, openIpcListener } from '../../src/ipc/open-listener.ts';
import { openSteadyPeer, type SteadyPeer } from '../../src/ipc/open-steady-peer.ts';
import type { Peer } from '../../src/ipc/peer.ts';
import { openLowdbStore } from '../../src/store/lowdb/open-lowdb-store.ts';
import { openStoreOverIpc } from '../../src/store/over-ipc/open-store-over-ipc.ts';
import type { Heard } from '../../src/store/over-ipc/protocol.ts';
import {
  type ServeStoreOptions,
  type StoreServer,
  serveStore,
} from '../../src/store/over-ipc/serve-store.ts';
import type { RowCacheOptions } from '../../src/store/row-cache.ts';
import type { Store } from '../../src/store/store.ts';

const onFault = (error: unknown, method: string): never => {
  throw new Error(`a fault in ${method}`, { cause: error });
};

export interface ServedStore {
  readonly server: StoreServer;
  /** Beneath the server. */
  readonly store: Store;
  readonly listener: IpcListener;
  /** As a supervisor would at a restart. What the next one is told. */
  leave(): Promise<Heard>;
  /** As a supervisor would die. */
  crash(): Promise<void>;
}

export interface ServedFolder {
  readonly dataDir: string;
  readonly path: string;
  serve(more?: Partial<ServeStoreOptions>): Promise<ServedStore>;
  remove(): Promise<void>;
}

/** A new folder, unless one is given. */
export async function makeServedFolder(given?: string): Promise<ServedFolder> {
  const dataDir = given ?? (await mkdtemp(join(tmpdir(), 'postern-store-')));
  const path = join(dataDir, 'workers.sock');
  const all: ServedStore[] = [];
  return {
    dataDir,
    path,
    async serve(more = {}) {
      const store = more.store ?? (await openLowdbStore({ dataDir }));
      const server = serveStore({ endClient: async () => {}, onFault, ...more, store });
      const accept = (_greeting: unknown, peer: Peer) => server.handlersFor(peer);
      const listener = await openIpcListener({ path, accept, onFault, ...more });
      const served: ServedStore = {
        server,
        store,
        listener,
        async leave() {
          await listener.leave(10_000);
          await store.close();
          return server.heard();
        },
        async crash() {
          await listener.close();
          await store.close();
        },
      };
      all.push(served);
      return served;
    },
    async remove() {
      for (const served of all) await served.crash();
      await rm(dataDir, { recursive: true });
    },
  };
}

export interface StoreProcess {
  readonly child: ChildProcess;
  /** Resolves to what the process answers. */
  order(line: string): Promise<unknown>;
  readonly exited: Promise<unknown>;
}

/** `store-over-ipc-process.ts`, ready. */
export async function startStoreProcess(role: 'serve' | 'client', place: string): Promise<StoreProcess> {
  const program = join(import.meta.dirname, 'store-over-ipc-process.ts');
  const child = spawn(process.execPath, [program, role, place], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => JSON.parse((await lines.next()).value as string) as unknown;
  await answer();
  return {
    child,
    exited,
    order(line) {
      child.stdin.write(`${line}\n`);
      return answer();
    },
  };
}

export interface StoreClient {
  readonly store: Store;
  readonly supervisor: SteadyPeer;
}

export function openStoreClient(path: string, cache: RowCacheOptions = {}): StoreClient {
  const supervisor = openSteadyPeer({ path, who: process.pid, onFault });
  return { supervisor, store: openStoreOverIpc({ supervisor, cache }) };
}
