/** `/api/ssh/sync`, `/status` and `/install`: an SSH server inside a container. */
import type { FastifyInstance } from 'fastify';
import { isGatewayError } from '../../errors.ts';
import { DialectFailure, type RunCommand } from '../dialect.ts';
import { schemas } from './schemas.ts';

interface OfContainer {
  readonly Params: { readonly id: string };
}

/** As `sshd sync --json` and `sshd install --json` answer. */
interface SyncData {
  readonly container_id: string;
  readonly synced: number;
  readonly left_out: readonly { readonly account: string; readonly reason: string }[];
}

export function addSshdRoutes(app: FastifyInstance, run: RunCommand): void {
  app.get<OfContainer>('/status/:id', { schema: schemas.sshdStatus }, (request) =>
    run(request, ['sshd', 'status', '--', request.params.id]),
  );

  app.post<OfContainer>('/sync/:id', { schema: schemas.sshdSync }, async (request) => {
    const words = ['sshd', 'sync', '--', request.params.id];
    const { container_id, synced, left_out } = await run<SyncData>(request, words);
    const message = 'SSH keys synced successfully';
    return { message, container_id, synced, ...(left_out.length === 0 ? {} : { left_out }) };
  });

  app.post<OfContainer>('/install/:id', { schema: schemas.sshdInstall }, async (request) => {
    const words = ['sshd', 'install', '--', request.params.id];
    const { container_id } = await run<SyncData>(request, words).catch((error: unknown) => {
      throw failureOf(error);
    });
    return { message: 'SSH server installed and configured', container_id };
  });
}

function failureOf(error: unknown): unknown {
  if (isGatewayError(error, 'no-package-manager')) {
    return new DialectFailure(500, { error: 'unable to determine install command for this image' });
  }
  if (!isGatewayError(error, 'install-failed')) return error;
  const { exitStatus, step, lastLines } = error.params;
  const told = { exit_code: exitStatus, step, output: lastLines.join('\n') };
  return new DialectFailure(500, { error: 'SSH installation failed', ...told });
}
