/** The XyraPanel dialect: `/api/account/ssh-keys`. */
import { STATUS_CODES } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { sentenceOf } from '../../commands/interpreter/run-line.ts';
import { type GatewayError, isGatewayError } from '../../errors.ts';
import { findToken } from '../../tokens/bearer.ts';
import { type Dialect, DialectFailure, type KeyData, type RunCommand } from '../dialect.ts';
import { type Fault, findFaults } from '../faults.ts';
import { addKey, isNoKey, isTaken, listKeys, removeKey } from '../key-commands.ts';
import { schemas } from './schemas.ts';

const maxKeys = 25;

interface NewKey {
  readonly name: string;
  readonly publicKey: string;
}

interface Page {
  readonly page?: string;
  readonly limit?: string;
}

export const xyrapanel: Dialect = {
  name: 'XyraPanel',
  prefix: '/api/account/ssh-keys',
  findToken: ({ headers }) => findToken(headers['x-api-key']),
  answerFailure: (failure, request) => {
    const status = failure.httpStatus;
    return { status, body: envelope(status, messageOf(failure, status), request) };
  },
  addRoutes(app, run, { orderOfPage }) {
    app.get<{ Querystring: Page }>('', { schema: schemas.list, attachValidation: true }, async (request) =>
      paged(await listKeys(run, request), request.query, (of) => orderOfPage(request, of)),
    );
    app.post('', { schema: schemas.create, attachValidation: true }, async (request) => {
      refuseFaults(request);
      return { data: shown(await add(run, request, request.body as NewKey)) };
    });
    app.delete<{ Params: { id: string } }>('/:id', { schema: schemas.remove }, async (request) => {
      await removeKey(run, request, request.params.id);
      return { success: true, message: 'SSH key deleted successfully' };
    });
    app.delete('/', { schema: { hide: true } }, async (request) => {
      throw failed(400, 'Missing SSH key ID', request);
    });
  },
};

async function add(run: RunCommand, request: FastifyRequest, { name, publicKey }: NewKey): Promise<KeyData> {
  try {
    return await addKey(run, request, { name, publicKey, maxKeys });
  } catch (error) {
    if (isNoKey(error)) throw failed(400, 'Invalid SSH public key format', request);
    if (isTaken(error)) throw failed(409, 'This SSH key already exists', request);
    if (isGatewayError(error, 'too-many-keys'))
      throw failed(400, `Maximum of ${maxKeys} SSH keys allowed per account`, request);
    throw error;
  }
}

const shown = ({ id, name, fingerprint, public_key, created_at }: KeyData) => ({
  id,
  name,
  fingerprint,
  public_key,
  created_at,
});

const defaultPerPage = 50;
const mostPerPage = 100;

async function paged(keys: readonly KeyData[], { page: pageText, limit }: Page, orderOf: OrderOf) {
  const page = wholeNumber(pageText, Number.MAX_SAFE_INTEGER) ?? 1;
  const perPage = wholeNumber(limit, mostPerPage) ?? defaultPerPage;
  const byId = new Map(keys.toReversed().map((key) => [key.id, key]));
  const order = await orderOf({ page, perPage, ids: [...byId.keys()] });
  const total = order.length;
  return {
    data: order
      .slice((page - 1) * perPage, page * perPage)
      .flatMap((id) => byId.get(id) ?? [])
      .map(shown),
    pagination: { page, perPage, total, totalPages: Math.ceil(total / perPage) },
  };
}

type OrderOf = (of: {
  readonly page: number;
  readonly perPage: number;
  readonly ids: readonly string[];
}) => Promise<readonly string[]>;

/** From 1 to `most`; undefined for anything else, a list of numbers too. */
function wholeNumber(text: unknown, most: number): number | undefined {
  const number = typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= most ? number : undefined;
}

const faultMessages: Readonly<Record<string, string>> = {
  'name required': 'Name is required',
  'name type': 'Name is required',
  'name maxLength': 'Name too long',
  'publicKey required': 'Public key is required',
  'publicKey type': 'Public key is required',
};

/** Throws when a field is not what the schema says. */
function refuseFaults(request: FastifyRequest): void {
  const faults = [...findFaults(request, ['name', 'publicKey'])];
  if (faults.length === 0) return;
  const told = faults.map(([field, fault]: [string, Fault]) => ({
    path: [field],
    message: faultMessages[`${field} ${fault}`],
  }));
  throw failed(400, 'Validation Error', request, told);
}

const failed = (status: number, message: string, request: FastifyRequest, data?: unknown) =>
  new DialectFailure(status, envelope(status, message, request, data));

const envelope = (statusCode: number, message: string, { url }: FastifyRequest, data?: unknown) => ({
  error: true,
  url,
  statusCode,
  statusMessage: STATUS_CODES[statusCode] ?? '',
  message,
  ...(data === undefined ? {} : { data }),
});

function messageOf(failure: GatewayError, status: number): string {
  if (status === 401) return 'Unauthorized';
  if (failure.code === 'key-not-found') return 'SSH key not found';
  return status >= 500 ? 'Internal Server Error' : sentenceOf(failure);
}
