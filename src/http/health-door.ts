/** Door 2, so far: liveness and readiness for whoever watches the process. */
import fastify from 'fastify';
import type { Address } from '../sessions/session.ts';

export interface HealthDoor {
  readonly address: Address;
  close(): Promise<void>;
}

export interface HealthDoorOptions {
  readonly host: string;
  readonly port: number;
  readonly version: string;
  /** Whether the engine answers; containers being away does not make the gateway unready. */
  readonly engineAnswers: () => Promise<boolean>;
}

/** Serves GET /healthz (the process runs) and GET /readyz (it takes logins; says whether containers are there). */
export async function openHealthDoor(options: HealthDoorOptions): Promise<HealthDoor> {
  const app = fastify({ logger: false, connectionTimeout: 10_000, requestTimeout: 10_000, bodyLimit: 1024 });
  app.get('/healthz', async () => ({ status: 'ok', version: options.version }));
  app.get('/readyz', async () => ({
    status: 'ok',
    containers: (await options.engineAnswers()) ? 'available' : 'unavailable',
  }));
  await app.listen({ host: options.host, port: options.port });
  const bound = app.server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the health door has no port');
  return {
    address: { address: bound.address, port: bound.port },
    close: () => app.close(),
  };
}
