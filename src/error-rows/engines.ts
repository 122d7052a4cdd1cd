/** Engines that are registered. */
import { failed, row, usage } from './row.ts';

export const enginesErrors = {
  'invalid-engine': usage<{ problem: string }>(({ problem }) => problem),
  'engine-name-taken': row<{ name: string }>(
    1,
    409,
    ({ name }) => `there is an engine "${name}" already; choose another name.`,
  ),
  'engine-not-found': row<{ engine: string }>(
    1,
    404,
    ({ engine }) => `no engine "${engine}" is registered; "engine list" shows those that are.`,
  ),
  'engine-in-use': failed<{ engine: string; sessions: string }>(
    ({ engine, sessions }) =>
      `${sessions} open on the engine "${engine}"; "engine drain ${engine}" lets in no more, and --force ends them.`,
  ),
  'too-many-engines': failed<{ limit: number }>(
    ({ limit }) => `a gateway may have ${limit} engines; remove one with "engine remove" first.`,
  ),
  'engine-draining': row<{ engine: string }>(
    255,
    503,
    ({ engine }) => `the engine "${engine}" takes no new sessions for now; ask an admin.`,
  ),
  'engine-unavailable': row<{ reason: string; engine?: string }>(
    255,
    503,
    ({ reason, engine }) =>
      `${engine === undefined ? 'the Docker Engine' : `the engine "${engine}"`} cannot be reached (${reason}); ${engine === undefined ? 'containers' : 'its containers'} are unavailable until it can.`,
  ),
  'engine-failed': row<{ reason: string; engine?: string }>(
    255,
    502,
    ({ reason, engine }) =>
      `${engine === undefined ? 'the Docker Engine' : `the engine "${engine}"`} refused: ${reason}`,
  ),
} as const;
