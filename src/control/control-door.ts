/** The operator's door: a unix socket in the data folder, answered by the lobby's interpreter. */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { type FaultOwner, inNameOf, ownEvents } from '../platform/fault-owner.ts';
import {
  type ControlAnswer,
  type ControlRequest,
  controlRequestSchema,
  controlSocketPath,
  maxRequestBytes,
} from './control-protocol.ts';

export interface ControlDoorOptions {
  readonly dataDir: string;
  readonly log: Logger;
  readonly answer: (request: { line: string; stdin: string }, body: Buffer) => Promise<ControlAnswer>;
  /** Of what may follow the line of a command that takes a body. */
  readonly maxBodyBytes: number;
  readonly takesBody: (line: string) => boolean;
  /** For more of a request, and for an answer to be taken; 60 s. What a command itself takes is its own. */
  readonly patienceMs?: number;
}

const usualPatienceMs = 60_000;

export interface ControlDoor {
  /** Takes no more requests; those that came are answered. */
  leave(): void;
  close(): Promise<void>;
}

/** Listens on DATA/control.sock, mode 0600. The store's lock makes sure that a socket found there is a dead one. */
export async function openControlDoor(options: ControlDoorOptions): Promise<ControlDoor> {
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
    socket.on('timeout', () => socket.destroy());
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
  let isLeaving = false;
  return {
    leave() {
      isLeaving = true;
      server.close();
    },
    async close() {
      if (isLeaving) return;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
    },
  };
}

async function answer(socket: Socket, options: ControlDoorOptions): Promise<void> {
  const { patienceMs = usualPatienceMs } = options;
  socket.setTimeout(patienceMs);
  const received = await receive(socket, options);
  socket.setTimeout(0);
  if (!received) return void socket.destroy();
  const { request, body } = received;
  const {
    body: sent = Buffer.alloc(0),
    afterwards,
    ...response
  }: ControlAnswer = request
    ? await options.answer(request, body)
    : { stdout: '', stderr: 'postern: malformed control request.\n', exitStatus: 2 };
  socket.setTimeout(patienceMs);
  socket.write(`${JSON.stringify(response)}\n`);
  if (afterwards) socket.write(sent, afterwards);
  else socket.end(sent);
}

interface Received {
  /** Undefined: it is malformed. */
  readonly request: ControlRequest | undefined;
  readonly body: Buffer;
}

/** Undefined for what is longer than it may be. */
async function receive(socket: Socket, options: ControlDoorOptions): Promise<Received | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let limit = maxRequestBytes;
  let line: Buffer | undefined;
  let request: ControlRequest | undefined;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit) return undefined;
    chunks.push(chunk);
    if (line || !chunk.includes(10)) continue;
    const all = Buffer.concat(chunks);
    line = all.subarray(0, all.indexOf(10));
    request = parseRequest(line);
    if (request && options.takesBody(request.line)) limit += options.maxBodyBytes;
  }
  const all = Buffer.concat(chunks);
  return line
    ? { request, body: all.subarray(line.length + 1) }
    : { request: parseRequest(all), body: Buffer.alloc(0) };
}

const parseRequest = (line: Buffer): ControlRequest | undefined =>
  controlRequestSchema.safeParse(parseJson(line.toString('utf8'))).data;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
