/** `/api/ssh/connect/:containerId`. */
import type { FastifyInstance } from 'fastify';
import type { RunCommand } from '../dialect.ts';
import { schemas } from './schemas.ts';

/** As `connect --json` answers. */
interface ConnectData {
  readonly host: string;
  readonly port: number;
  readonly container_id: string;
  readonly container_name: string;
  readonly container_user: string;
  readonly ssh_command: string;
}

export function addContainerRoutes(app: FastifyInstance, run: RunCommand): void {
  app.get<{ Params: { id: string } }>('/connect/:id', { schema: schemas.connect }, async (request) => {
    const { host, port, container_id, container_name, container_user, ssh_command } = await run<ConnectData>(
      request,
      ['connect', '--', request.params.id],
    );
    return { host, port, username: container_user, container_id, container_name, ssh_command };
  });
}
