/** Sessions and the store. */
import { row, usage } from './row.ts';

export const sessionsAndStoreErrors = {
  'session-not-found': row<{ session: string }>(
    1,
    404,
    ({ session }) => `there is no session "${session}"; "session list" shows them.`,
  ),
  'too-many-connections': row<{ limit: number }>(
    255,
    503,
    ({ limit }) => `your account has ${limit} connections open already; close one first.`,
  ),
  'too-many-sessions': row<{ limit: number }>(
    255,
    503,
    ({ limit }) => `${limit} sessions are open already; close one first.`,
  ),
  'audit-unavailable': row<{ reason: string }>(
    255,
    503,
    ({ reason }) =>
      `nobody is let in while the gateway cannot write its audit (${reason}); ask its operator to make room for it.`,
  ),
  'invalid-config': usage<{ problem: string }>(({ problem }) => problem),
  'store-held': row<{ folder: string; pid: string }>(
    1,
    500,
    ({ folder, pid }) =>
      `${folder} is in use by another gateway (process ${pid}); stop it first, or choose another folder with --data.`,
  ),
  'store-corrupt': row<{ file: string; problem: string; advice: string }>(
    1,
    500,
    ({ file, problem, advice }) => `${file} cannot be read: ${problem}. It was left untouched. ${advice}`,
  ),
  'no-penalty': row<{ address: string }>(
    1,
    404,
    ({ address }) => `nothing is held against ${address}; "penalty list" shows who is penalised.`,
  ),
  'store-newer': row<{ file: string; found: number; known: number }>(
    1,
    500,
    ({ file, found, known }) =>
      `${file} was written by a newer version (schema ${found}, this one knows ${known}); run that version, or restore a backup.`,
  ),
  'store-write-failed': row<{ reason: string; mayBeMade?: boolean }>(1, 500, ({ reason, mayBeMade }) =>
    mayBeMade === true
      ? `nobody knows whether the change was made (${reason}); look before you make it again.`
      : `the change could not be written and was not made (${reason}).`,
  ),
  'store-unavailable': row<{ reason: string }>(
    255,
    503,
    ({ reason }) =>
      `the gateway has no access to what it knows about accounts and keys (${reason}); try again in a moment, or by another gateway.`,
  ),
  'gateway-name-taken': row<{ name: string }>(
    1,
    500,
    ({ name }) =>
      `another gateway on this database is called "${name}", and answers; give each a gatewayName of its own, and a data folder that is no copy of another's.`,
  ),
  'migration-refused': row<{ place: string; problem: string }>(
    1,
    422,
    ({ place, problem }) => `nothing was migrated: ${place}: ${problem}.`,
  ),
  'backup-refused': row<{ problem: string }>(
    1,
    422,
    ({ problem }) => `the backup cannot be restored: ${problem}. Nothing was changed.`,
  ),
  internal: row<{ id: string }>(
    255,
    500,
    ({ id }) => `internal error ${id}; the operator finds the cause under this number in the log.`,
  ),
} as const;
