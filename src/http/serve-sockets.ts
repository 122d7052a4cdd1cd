/** HTTP servers listen nowhere themselves: connections are given to them, from an entrance here or in another process. */
import type { Server } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';

export interface ServesSockets {
  serve(socket: Socket): void;
  /** From now on closes those that are idle, as they become it. */
  letGo(): void;
  /** The same; resolves when all are closed, after `graceMs` by force. */
  close(graceMs: number): Promise<void>;
}

const letGoEveryMs = 100;
const pollIntervalMs = 10;

export function serveSockets(server: Server): ServesSockets {
  const isTls = server instanceof TlsServer;
  const sockets = new Set<Socket>();
  let idling: NodeJS.Timeout | undefined;
  // Node holds the deadlines of heads, and knows who is idle, only in a server that was told so.
  server.emit('listening');

  function letGo(): void {
    server.closeIdleConnections();
    idling ??= setInterval(() => server.closeIdleConnections(), letGoEveryMs);
  }

  return {
    serve(socket) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      // As a server of Node's sets it on what it accepts itself.
      socket.allowHalfOpen = !isTls;
      server.emit('connection', socket);
      // TLS reads the socket's handle.
      if (!isTls) socket.resume();
    },
    letGo,
    async close(graceMs) {
      letGo();
      const cutOff = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      while (sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, pollIntervalMs));
      clearTimeout(cutOff);
      clearInterval(idling);
      server.close();
    },
  };
}
