/** The operator's door: a unix socket in the data folder, answered by the lobby's interpreter. */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { type FaultOwner, inNameOf, ownEvents } from '../platform/fault-owner.ts';
import {
  type ControlResponse,
  controlRequestSchema,
  controlSocketPath,
  maxRequestBytes,
} from './control-protocol.ts';

export interface ControlDoorOptions {
  readonly dataDir: string;
  readonly log: Logger;
  readonly answer: (request: { line: string; stdin: string }) => Promise<ControlResponse>;
}

const requestDeadlineMs = 60_000;

/** Listens on DATA/control.sock, mode 0600. The store's lock makes sure that a socket found there is a dead one. */
export async function openControlDoor(options: ControlDoorOptions): Promise<{ close(): Promise<void> }> {
  const path = controlSocketPath(options.dataDir);
  await rm(path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const owner: FaultOwner = { end: () => socket.destroy() };
    ownEvents(socket, owner);
    inNameOf(owner, () => serve(socket));
  });
  const serve = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(requestDeadlineMs, () => socket.destroy());
    answer(socket, options).catch((error: unknown) => {
      options.log.error({ err: error }, 'control request failed');
      socket.destroy();
    });
  };
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Error(`cannot listen on ${path}: ${error.message}`, { cause: error })),
    );
    server.listen(path, () => resolve());
  });
  await chmod(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function answer(socket: Socket, options: ControlDoorOptions): Promise<void> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxRequestBytes) return void socket.destroy();
    chunks.push(chunk);
  }
  const request = controlRequestSchema.safeParse(parseJson(Buffer.concat(chunks).toString('utf8')));
  const response: ControlResponse = request.success
    ? await options.answer(request.data)
    : { stdout: '', stderr: 'postern: malformed control request.\n', exitStatus: 2 };
  socket.end(`${JSON.stringify(response)}\n`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
