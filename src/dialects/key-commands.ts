/** The three things every dialect does with keys, as lobby commands. */
import type { FastifyRequest } from 'fastify';
import { GatewayError, isGatewayError } from '../errors.ts';
import { holdsPrivateKey } from '../keys/private-key.ts';
import type { KeyData, RunCommand } from './dialect.ts';

/** In order of adding. */
export async function listKeys(run: RunCommand, request: FastifyRequest): Promise<readonly KeyData[]> {
  return (await run<{ ssh_keys: readonly KeyData[] }>(request, ['ssh-key', 'list'])).ssh_keys;
}

/**
 * The name goes in as the key's comment, so that one that is taken gets a number: names are no identity in these APIs.
 * It stays one line: a name must not bring keys of its own.
 * Adding a key that was removed before is what the request says; nobody can be asked.
 * Throws invalid-key also for several keys, and for what is no key at all.
 */
export async function addKey(
  run: RunCommand,
  request: FastifyRequest,
  { name, publicKey, maxKeys }: KeyToAdd,
): Promise<KeyData> {
  if (holdsPrivateKey(publicKey)) throw new GatewayError('private-key', {});
  const [type = '', base64 = ''] = publicKey.trim().split(/[ \t]+/);
  if (/[\r\n]/.test(publicKey.trim()))
    throw new GatewayError('invalid-key', { problem: 'these are several lines.' });
  const limit = maxKeys === undefined ? [] : [`--max-keys=${maxKeys}`];
  return run<KeyData>(request, [
    'ssh-key',
    'add',
    '--yes',
    ...limit,
    '--',
    `${type} ${base64} ${name.replace(/[\r\n]+/g, ' ').trim()}`,
  ]);
}

export interface KeyToAdd {
  readonly name: string;
  readonly publicKey: string;
  /** What the product allows, on top of the gateway's own limit. */
  readonly maxKeys?: number;
}

/** Throws key-not-found. */
export async function removeKey(run: RunCommand, request: FastifyRequest, id: string): Promise<void> {
  await run(request, ['ssh-key', 'remove', '--yes', '--', id]);
}

/** What a key of somebody's, theirs or another's, is in the way of. */
export const isTaken = (error: unknown) =>
  isGatewayError(error, 'duplicate-key') || isGatewayError(error, 'foreign-key');

export const isNoKey = (error: unknown) =>
  isGatewayError(error, 'invalid-key') || isGatewayError(error, 'private-key');
