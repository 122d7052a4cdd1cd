/**
 * A shorter way between the gateway and a sidecar of the same machine: a unix socket in a folder that is mounted into
 * it, where what is forwarded passes as it is. Bytes by the engine's streams cross four processes more.
 */
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ownEvents } from '../../../platform/fault-owner.ts';
import { randomId } from '../../../platform/ids.ts';
import { engineStatus } from '../engine-errors.ts';

export interface Passage {
  /** To be mounted: it holds `socket`, and nothing else. */
  readonly folder: string;
  /** A connection that begins with `token` and a line feed; once, and only until `forget`. */
  expect(): Expected;
  close(): void;
}

export interface Expected {
  readonly token: string;
  /** Rejects where it does not come in that time, 5 s unless said otherwise. */
  arrived(withinMs?: number): Promise<Socket>;
  /** Nobody is let in by it any more; who has come and was not asked for, is sent away. */
  forget(): void;
}

/** In the folder for temporary files; the rest of the name is random. */
export const passagePrefix = 'postern-passage-';
export const passageSocket = (outer: string) => join(outer, 'in', 'socket');

const tokenLength = 32;
const arrivesWithinMs = 5_000;
/** Whoever is root in the container may connect, too, but knows no token. */
const maxStrangers = 1_024;

/** Throws what the system throws. */
export async function openPassage(): Promise<Passage> {
  // Nobody else on this machine passes the outer folder; in the sidecar there is only the inner one.
  const outer = await mkdtemp(join(tmpdir(), passagePrefix));
  const socketPath = passageSocket(outer);
  const folder = dirname(socketPath);
  const remove = () => void rm(outer, { recursive: true, force: true }).catch(() => {});
  const expected = new Map<string, (socket: Socket) => void>();
  const strangers = new Set<Socket>();
  try {
    await mkdir(folder);
    // Whatever the umask would make of it: the sidecar is another user.
    await chmod(folder, 0o755);
    const server = createServer({ allowHalfOpen: true }, (socket) => admit(socket, strangers, expected));
    server.maxConnections = 2_048;
    await listening(server, socketPath);
    await chmod(socketPath, 0o666);
    return {
      folder,
      expect: () => expect(expected),
      close() {
        server.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function expect(expected: Map<string, (socket: Socket) => void>): Expected {
  const token = randomId(tokenLength);
  const { promise, resolve } = Promise.withResolvers<Socket>();
  let unclaimed: Socket | undefined;
  expected.set(token, (socket) => {
    expected.delete(token);
    unclaimed = socket;
    resolve(socket);
  });
  return {
    token,
    async arrived(withinMs = arrivesWithinMs) {
      const late = Promise.withResolvers<never>();
      const deadline = setTimeout(() => late.reject(new Error('nobody came')), withinMs);
      const socket = await Promise.race([promise, late.promise]).finally(() => clearTimeout(deadline));
      unclaimed = undefined;
      return socket;
    },
    forget() {
      expected.delete(token);
      unclaimed?.destroy();
    },
  };
}

function admit(
  socket: Socket,
  strangers: Set<Socket>,
  expected: ReadonlyMap<string, (socket: Socket) => void>,
): void {
  socket.on('error', () => {});
  ownEvents(socket, { end: () => socket.destroy() });
  if (strangers.size >= maxStrangers) return void socket.destroy();
  strangers.add(socket);
  let begun = Buffer.alloc(0);
  const known = () => {
    strangers.delete(socket);
    clearTimeout(deadline);
    socket.off('data', read).off('close', known);
  };
  const read = (chunk: Buffer) => {
    begun = Buffer.concat([begun, chunk]);
    if (begun.length <= tokenLength) return;
    known();
    socket.pause();
    const take = begun[tokenLength] === 0x0a && expected.get(begun.toString('latin1', 0, tokenLength));
    if (!take) return void socket.destroy();
    if (begun.length > tokenLength + 1) socket.unshift(begun.subarray(tokenLength + 1));
    take(socket);
  };
  const deadline = setTimeout(() => socket.destroy(), arrivesWithinMs);
  socket.on('data', read).once('close', known);
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve();
    });
  });
}

/** `Mounts` of a container that is to reach it. */
export const mountsOf = (passage: Passage | undefined) =>
  passage ? [{ Type: 'bind' as const, Source: passage.folder, Target: '/passage', ReadOnly: true }] : [];

/** With a passage, unless the engine has another disk than the gateway: then `create` is called once more, without. */
export async function createWithPassage(
  create: (passage: Passage | undefined) => Promise<string>,
): Promise<{ readonly id: string; readonly passage: Passage | undefined }> {
  const passage = await openPassage().catch(() => undefined);
  try {
    return { id: await create(passage), passage };
  } catch (error) {
    passage?.close();
    if (!passage || engineStatus(error) !== 400) throw error;
    return { id: await create(undefined), passage: undefined };
  }
}
