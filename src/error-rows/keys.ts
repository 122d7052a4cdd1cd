/** Keys. */
import { failed, row, usage } from './row.ts';

export const keysErrors = {
  'invalid-key': usage<{ problem: string }>(({ problem }) => problem),
  'private-key': usage(
    () =>
      'that is the private key. Nothing of it was stored; send the .pub file instead, and treat this key as exposed: make a new one with "ssh-keygen -t ed25519".',
  ),
  'duplicate-key': row<{ existing: string }>(
    1,
    409,
    ({ existing }) => `this key is already registered, as "${existing}".`,
  ),
  'foreign-key': row(
    1,
    409,
    () => 'this key is already registered with another account; use a different key.',
  ),
  'readded-key': failed(
    () =>
      'this key was removed before, perhaps because it was lost, and exe0 tokens that it signed would live again. Repeat with --yes if you want it back.',
  ),
  'key-not-found': row<{ key: string }>(
    1,
    404,
    ({ key }) => `no key of yours matches "${key}"; "ssh-key list" shows them.`,
  ),
  'key-name-taken': row<{ name: string }>(
    1,
    409,
    ({ name }) => `another key of yours is named "${name}"; choose another name.`,
  ),
  'too-many-keys': failed<{ limit: number; current: number }>(
    ({ limit }) => `an account may hold ${limit} keys; remove one with "ssh-key remove" first.`,
  ),
  'last-key': failed(
    () =>
      'this is the last key of the account: without it nobody can log in to it. Repeat with --yes to remove it all the same.',
  ),
  'current-key': failed(
    () =>
      'this is the key you are connected with; removing it ends this connection. Repeat with --yes to do it.',
  ),
} as const;
