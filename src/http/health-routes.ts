/** Liveness and readiness for whoever watches the process. */
import type { FastifyInstance } from 'fastify';

export interface HealthFacts {
  readonly version: string;
  /** Whether the engine answers; containers being away does not make the gateway unready. */
  readonly engineAnswers: () => Promise<boolean>;
  /** The gateway is about to stop: it takes nobody in any more. */
  readonly isDraining: () => boolean;
}

const answer = (properties: Readonly<Record<string, object>>) => ({
  200: {
    description: 'it does',
    type: 'object',
    required: Object.keys(properties),
    properties,
  },
});
const text = { type: 'string' };
const ready = answer({ status: text, containers: text });
const readiness = {
  ...ready,
  503: { ...ready[200], description: 'no longer: what runs may end, then it stops' },
};

/** GET /healthz (the process runs) and GET /readyz (it takes logins; says whether containers are there). */
export function addHealthRoutes(
  app: FastifyInstance,
  { version, engineAnswers, isDraining }: HealthFacts,
): void {
  app.get(
    '/healthz',
    { schema: { summary: 'Does the process run?', response: answer({ status: text, version: text }) } },
    async () => ({ status: 'ok', version }),
  );
  app.get(
    '/readyz',
    { schema: { summary: 'Are logins taken?', response: readiness } },
    async (_request, reply) => {
      const containers = (await engineAnswers()) ? 'available' : 'unavailable';
      return isDraining()
        ? reply.code(503).send({ status: 'draining', containers })
        : { status: 'ok', containers };
    },
  );
}
