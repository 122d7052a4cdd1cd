/** The Raidboxes dialect: `/v1/ssh-keys`. */
import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { sentenceOf } from '../../commands/interpreter/run-line.ts';
import type { GatewayError } from '../../errors.ts';
import { type Dialect, DialectFailure, type KeyData } from '../dialect.ts';
import { findFaults } from '../faults.ts';
import { addKey, isNoKey, isTaken, listKeys, removeKey } from '../key-commands.ts';
import { schemas } from './schemas.ts';

interface NewKey {
  readonly title: string;
  readonly key: string;
}

export const raidboxes: Dialect = {
  name: 'Raidboxes',
  prefix: '/v1/ssh-keys',
  answerFailure: (failure, request) => {
    const status = failure.code === 'no-such-page' ? 404 : failure.httpStatus;
    return { status, body: envelope(messageOf(failure, status), request) };
  },
  addRoutes(app, run) {
    app.get('', { schema: schemas.list }, async (request) => (await listKeys(run, request)).map(shown));

    app.post('', { schema: schemas.create, attachValidation: true }, async (request, reply) => {
      refuseFaults(request);
      const { title, key } = request.body as NewKey;
      const added = await addKey(run, request, { name: title, publicKey: key }).catch((error: unknown) => {
        if (isTaken(error)) throw invalid(request, { key: ['The key has already been taken.'] });
        if (isNoKey(error)) throw invalid(request, { key: ['The key field format is invalid.'] });
        throw error;
      });
      return reply.code(201).send({ data: shown(added) });
    });

    app.delete<{ Params: { id: string } }>('/:id', { schema: schemas.remove }, async (request, reply) => {
      await removeKey(run, request, request.params.id);
      return reply.code(204).send();
    });
  },
};

const shown = ({ id, name, fingerprint_md5 }: KeyData) => ({ id, fingerprint: fingerprint_md5, title: name });

function messageOf(failure: GatewayError, status: number): string {
  if (status === 401) return 'Unauthenticated.';
  if (status === 404) return 'Request not found.';
  return status >= 500 ? 'Request could not be processed.' : sentenceOf(failure);
}

const envelope = (message: string, { url }: FastifyRequest, details?: Details) => ({
  timestamp: new Date().toISOString().replace(/\.\d+Z$/, '+00:00'),
  message,
  path: url.split('?', 1)[0],
  request_id: randomUUID(),
  ...(details === undefined ? {} : { details }),
});

type Details = Readonly<Record<string, readonly { readonly message: string }[]>>;

const messages: Readonly<Record<string, (field: string) => string>> = {
  required: (field) => `The ${field} field is required.`,
  maxLength: (field) => `The ${field} field must not be greater than 255 characters.`,
  type: (field) => `The ${field} field format is invalid.`,
};

/** Throws when a field is not what the schema says. */
function refuseFaults(request: FastifyRequest): void {
  const faults = findFaults(request, ['title', 'key']);
  if (faults.size === 0) return;
  const told = [...faults].map(([field, fault]) => [
    field,
    [(messages[fault] ?? messages['type'])?.(field) ?? ''],
  ]);
  throw invalid(request, Object.fromEntries(told) as Record<string, string[]>);
}

function invalid(
  request: FastifyRequest,
  fields: Readonly<Record<string, readonly string[]>>,
): DialectFailure {
  const [first = '', ...more] = Object.values(fields).flat();
  const rest = more.length === 0 ? '' : ` (and ${more.length} more error${more.length === 1 ? '' : 's'})`;
  const details = Object.fromEntries(
    Object.entries(fields).map(([field, told]) => [field, told.map((message) => ({ message }))]),
  );
  return new DialectFailure(400, envelope(`${first}${rest}`, request, details));
}
