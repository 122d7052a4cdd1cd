/** `/api/ssh/connect/:containerId`. */
import type { FastifyInstance } from 'fastify';
import { DialectFailure, type RunCommand } from '../dialect.ts';
import { schemas } from './schemas.ts';

/** As `connect --json` answers. */
interface ConnectData {
  readonly host: string;
  readonly port: number;
  /** Absent: it is a host. */
  readonly container_id?: string;
  readonly container_name: string;
  readonly container_user: string;
  readonly ssh_command: string;
}

export function addContainerRoutes(app: FastifyInstance, run: RunCommand): void {
  app.get<{ Params: { id: string } }>('/connect/:id', { schema: schemas.connect }, async (request) => {
    const found = await run<ConnectData>(request, ['connect', '--', request.params.id]);
    const { host, port, container_id, container_name, container_user, ssh_command } = found;
    // A host has another route.
    if (container_id === undefined) throw new DialectFailure(404, { error: 'container not found' });
    return { host, port, username: container_user, container_id, container_name, ssh_command };
  });
}
