/** `/api/ssh/keys`. */
import type { FastifyInstance } from 'fastify';
import { isGatewayError } from '../../errors.ts';
import { parseKeysToAdd } from '../../keys/parse-keys-to-add.ts';
import { DialectFailure, type KeyData, type RunCommand } from '../dialect.ts';
import { addKey, isTaken, listKeys, removeKey } from '../key-commands.ts';
import { refuseFaults } from './bodies.ts';
import { schemas } from './schemas.ts';

interface NewKey {
  readonly name: string;
  readonly public_key: string;
}

export function addKeyRoutes(app: FastifyInstance, run: RunCommand): void {
  app.get('/keys', { schema: schemas.listKeys }, async (request) => {
    const keys = (await listKeys(run, request)).map(shown);
    return { keys, count: keys.length };
  });

  app.post('/keys', { schema: schemas.addKey, attachValidation: true }, async (request, reply) => {
    refuseFaults(request, ['name', 'public_key']);
    const { name, public_key: publicKey } = request.body as NewKey;
    const added = await addKey(run, request, { name, publicKey }).catch((error: unknown) => {
      throw failureOf(error, name, publicKey);
    });
    return reply.code(201).send({ ...shown(added), message: 'SSH key added successfully' });
  });

  app.delete<{ Params: { id: string } }>('/keys/:id', { schema: schemas.removeKey }, async (request) => {
    const { id } = request.params;
    await removeKey(run, request, id);
    return { message: 'SSH key deleted successfully', id };
  });
}

const shown = ({ id, name, public_key, fingerprint, key_type, created_at, last_used_at }: KeyData) => ({
  id,
  name,
  public_key,
  fingerprint,
  key_type: /ed25519|rsa|ecdsa/.exec(key_type)?.[0],
  created_at,
  last_used_at,
});

/** What adding comes to; a key of somebody else's is told under the name that was asked for, not under theirs. */
function failureOf(error: unknown, name: string, publicKey: string): unknown {
  if (isGatewayError(error, 'too-many-keys')) {
    const { limit, current } = error.params;
    return new DialectFailure(403, { error: 'SSH key limit reached', limit, current });
  }
  if (!isTaken(error)) return error;
  const fingerprint = parseKeysToAdd(publicKey)[0]?.key.fingerprint;
  const existing = isGatewayError(error, 'duplicate-key') ? error.params.existing : name;
  return new DialectFailure(409, { error: 'SSH key already exists', fingerprint, name: existing });
}
