/** The machine's engine, or another by its unix socket, behind a socket of ours, so that it can go away. */
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { engineSocket } from './engine.ts';

const busy = '{"message":"cannot resize a stopped container: unknown"}\n';
const busyAnswer = `HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${busy.length}\r\n\r\n${busy}`;

export function createEngineProxy(host = `unix://${engineSocket()}`) {
  let proxy: Server | undefined;
  const sockets = new Set<Socket>();
  const requests = new Map<Socket, string[]>();
  let refusedResizes = 0;
  return {
    listen: (path: string) =>
      new Promise<void>((resolve) => {
        proxy = createServer({ allowHalfOpen: true }, (inner) => {
          const outer = createConnection({ path: host.slice('unix://'.length), allowHalfOpen: true });
          const asked: string[] = [];
          requests.set(inner, asked);
          inner.on('data', (chunk) => {
            const [line] = /^[A-Z]+ \/\S+/.exec(chunk.toString('latin1')) ?? [];
            if (line !== undefined) asked.push(line);
          });
          for (const [from, to] of [
            [inner, outer],
            [outer, inner],
          ] as const) {
            sockets.add(from);
            from.on('error', () => to.destroy()).on('close', () => sockets.delete(from));
            from.pipe(to);
          }
          inner.prependListener('data', (chunk) => {
            if (refusedResizes === 0 || !/^POST \/\S+\/resize/.test(chunk.toString('latin1'))) return;
            refusedResizes -= 1;
            inner.unpipe(outer);
            inner.end(busyAnswer);
            outer.destroy();
          });
        }).listen(path, resolve);
      }),
    vanish: async () => {
      for (const each of sockets) each.destroy();
      await new Promise((resolve) => proxy?.close(resolve));
    },
    /** Connections stay, and none is added. Another `listen` ends that. */
    refuse: async () => void proxy?.close(),
    connections: () => sockets.size,
    /** Methods and paths, by connection, of those that are open and those that were. */
    requests: () => [...requests].map(([socket, asked]) => ({ isOpen: sockets.has(socket), asked })),
    /** Answers the next so many requests for a window's size as an engine does that is busy. */
    refuseResizes: (count: number) => {
      refusedResizes = count;
    },
    /** Connections stay, and nothing passes. */
    freeze: () => {
      for (const each of sockets) each.unpipe().pause();
    },
  };
}
