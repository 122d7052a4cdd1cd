import type { FastifyRequest } from 'fastify';
import type { ApiCaller } from '../commands/api.ts';

/** Where a request comes from. */
export const callerOf = ({ id, socket }: FastifyRequest): ApiCaller => ({
  requestId: id,
  source: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
  local: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
});
