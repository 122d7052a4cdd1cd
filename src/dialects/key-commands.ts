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
 * The name goes in as the key's comment, so that one that is taken gets a number: names are no identity in most of
 * these APIs. Where they are, the comment stays what it is, and key-name-taken is thrown.
 * The name stays one line: a name must not bring keys of its own.
 * Adding a key that was removed before is what the request says; nobody can be asked.
 * Throws invalid-key also for several keys, for options in front of one, and for what is no key at all.
 */
export async function addKey(
  run: RunCommand,
  request: FastifyRequest,
  { name, isUnique = false, publicKey, maxKeys }: KeyToAdd,
): Promise<KeyData> {
  if (holdsPrivateKey(publicKey)) throw new GatewayError('private-key', {});
  const [, type, base64, comment = ''] =
    /^(\S+)[ \t]+(AAAA\S+)(?:[ \t]+([^\r\n]*))?$/.exec(publicKey.trim()) ?? [];
  if (type === undefined) throw new GatewayError('invalid-key', { problem: notOneKey });
  const limit = maxKeys === undefined ? [] : [`--max-keys=${maxKeys}`];
  const [named, label] = isUnique
    ? [[`--name=${name.trim()}`], comment]
    : [[], name.replace(/[\r\n]+/g, ' ').trim()];
  const line = `${type} ${base64} ${label}`;
  return run<KeyData>(request, ['ssh-key', 'add', '--yes', ...limit, ...named, '--', line]);
}

const notOneKey =
  'this is not one public key: one looks like "ssh-ed25519 AAAA… comment", on a line of its own.';

export interface KeyToAdd {
  readonly name: string;
  /** No two keys of an account may share a name. */
  readonly isUnique?: boolean;
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
