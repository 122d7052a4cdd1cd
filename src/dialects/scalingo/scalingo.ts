/** The Scalingo dialect: `/v1/keys`, `/v1/users/self` and `/v1/tokens/exchange`. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sentenceOf } from '../../commands/interpreter/run-line.ts';
import { GatewayError, isGatewayError } from '../../errors.ts';
import { findBasicToken } from '../../tokens/bearer.ts';
import {
  type Dialect,
  type DialectAnswer,
  DialectFailure,
  type KeyData,
  type RunCommand,
} from '../dialect.ts';
import { type Fault, findFaults } from '../faults.ts';
import { addKey, isNoKey, isTaken, listKeys, removeKey } from '../key-commands.ts';
import { formatObjectId, parseObjectId } from './object-id.ts';
import { schemas } from './schemas.ts';

type ById = { Params: { id: string } };

const keys: Dialect = {
  name: 'Scalingo',
  prefix: '/v1/keys',
  answerFailure: answersOf('key'),
  addRoutes(app, run) {
    app.get('', { schema: schemas.list }, async (request) => ({
      keys: (await listKeys(run, request)).map(shown),
    }));
    app.get<ById>('/:id', { schema: schemas.show }, async (request) => {
      const id = idOf(request.params.id);
      const found = (await listKeys(run, request)).find((key) => key.id === id);
      if (!found) throw noSuchKey(request.params.id);
      return { key: shown(found) };
    });
    app.delete<ById>('/:id', { schema: schemas.remove }, async (request, reply) => {
      await removeKey(run, request, idOf(request.params.id));
      return reply.code(204).send();
    });
    addCreate(app, run);
  },
};

function addCreate(app: FastifyInstance, run: RunCommand): void {
  const options = { schema: schemas.create, preValidation: unwrap, attachValidation: true };
  app.post('', options, async (request, reply) => {
    refuseFaults(request);
    const { name, content } = request.body as { readonly name: string; readonly content: string };
    const added = await addKey(run, request, { name, isUnique: true, publicKey: content }).catch(refuse);
    return reply.code(201).send({ key: shown(added) });
  });
}

const users: Dialect = {
  name: 'Scalingo',
  prefix: '/v1/users',
  answerFailure: answersOf('user'),
  addRoutes(app, run, { accountIdOf }) {
    app.get('/self', { schema: schemas.self }, async (request) => {
      const { account, email } = await run<WhoamiData>(request, ['whoami']);
      const id = formatObjectId(accountIdOf(request));
      return { user: { id, username: account, email, fullname: account, flags: {} } };
    });
  },
};

interface WhoamiData {
  readonly account: string;
  readonly email: string | null;
}

const tokens: Dialect = {
  name: 'Scalingo',
  prefix: '/v1/tokens',
  findToken: findPassword,
  answerFailure: answersOf('token'),
  addRoutes(app, _run, { exchangeToken }) {
    app.post('/exchange', { schema: schemas.exchange }, async (request) => {
      if (findPassword(request) === undefined) throw new GatewayError('unauthorized', {});
      return { token: await exchangeToken(request) };
    });
  },
};

/** A token that is the password of nobody: of HTTP Basic with an empty user. */
function findPassword({ headers }: FastifyRequest): string | undefined {
  const found = findBasicToken(headers.authorization);
  return found?.user === '' ? found.token : undefined;
}

export const scalingo: readonly Dialect[] = [keys, users, tokens];

const shown = ({ id, name, public_key, comment, fingerprint, created_at }: KeyData) => ({
  id: formatObjectId(id),
  name,
  content: comment === undefined ? public_key : `${public_key} ${comment}`,
  fingerprint,
  created_at,
});

const noSuchKey = (key: string) => new GatewayError('key-not-found', { key });

function idOf(objectId: string): string {
  const id = parseObjectId(objectId);
  if (id === undefined) throw noSuchKey(objectId);
  return id;
}

/** Some clients wrap what they send, and some do not. Throws when it is neither. */
async function unwrap(request: FastifyRequest): Promise<void> {
  const body = request.body as Readonly<Record<string, unknown>> | null | undefined;
  const isObject = typeof body === 'object' && body !== null;
  if (isObject && isPresent(body['key'])) request.body = body['key'];
  else if (!isObject || !('name' in body || 'content' in body)) throw unprocessable('key', 'missing field');
}

const isPresent = (value: unknown) => value !== undefined && value !== null;

const messages: Readonly<Record<Fault, string>> = {
  required: "can't be blank",
  maxLength: 'is invalid',
  type: 'is invalid',
};

/** Throws when a field is not what the schema says. */
function refuseFaults(request: FastifyRequest): void {
  const faults = [...findFaults(request, ['name', 'content'])];
  if (faults.length === 0) return;
  const errors = Object.fromEntries(faults.map(([field, fault]) => [field, [messages[fault]]]));
  throw new DialectFailure(422, { errors });
}

function refuse(error: unknown): never {
  if (isTaken(error)) throw unprocessable('content', 'has already been taken');
  if (isNoKey(error)) throw unprocessable('content', 'is invalid');
  if (isGatewayError(error, 'key-name-taken')) throw unprocessable('name', 'has already been taken');
  if (isGatewayError(error, 'usage')) throw unprocessable('name', 'is invalid');
  throw error;
}

const unprocessable = (field: string, message: string) =>
  new DialectFailure(422, { errors: { [field]: [message] } });

function answersOf(resource: string) {
  return (failure: GatewayError): DialectAnswer => ({
    status: failure.httpStatus,
    body: bodyOf(failure.httpStatus, sentenceOf(failure), resource),
  });
}

function bodyOf(status: number, sentence: string, resource: string): object {
  if (status === 400) return { error: `There was a problem in the JSON you submitted: ${sentence}` };
  if (status === 404) return { resource, error: 'not found' };
  return status === 422 ? { errors: { [resource]: [sentence] } } : { error: sentence };
}
