/** The machine's engine, or another by its unix socket, behind a socket of ours, so that it can go away. */
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { engineSocket } from './engine.ts';

export function createEngineProxy(host = `unix://${engineSocket()}`) {
  let proxy: Server | undefined;
  const sockets = new Set<Socket>();
  const requests = new Map<Socket, string[]>();
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
    /** Connections stay, and nothing passes. */
    freeze: () => {
      for (const each of sockets) each.unpipe().pause();
    },
  };
}
