/**
 * How a database comes from one layout to the next: each entry leads from the layout of its position on. What has been released
 * is never changed again; a table that comes to the rows later comes by a migration of its own.
 */

interface TableColumns {
  readonly unique?: readonly string[];
  readonly index?: readonly string[];
}

/** `id` and the columns hold what `storedKey` makes; `body` is the row as JSON; `place` gives the order of insertion. */
function table(name: string, { unique = [], index = [] }: TableColumns = {}): string {
  const columns = [
    'id text COLLATE "C" PRIMARY KEY',
    'place bigint NOT NULL',
    'body text NOT NULL',
    ...unique.map((column) => `${column} text COLLATE "C" NOT NULL`),
    ...index.map((column) => `${column} text COLLATE "C"`),
    // At the end of a transaction, so that two rows can exchange their names.
    ...unique.map((column) => `UNIQUE (${column}) DEFERRABLE INITIALLY DEFERRED`),
  ];
  const indexes = [
    `CREATE INDEX ON ${name} (place);`,
    ...index.map((column) => `CREATE INDEX ON ${name} (${column}, place);`),
  ];
  return [`CREATE TABLE ${name} (${columns.join(', ')});`, ...indexes].join('\n');
}

const first = [
  `CREATE TABLE postern_state (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    layout integer NOT NULL,
    number bigint NOT NULL,
    place bigint NOT NULL,
    filling text
  );`,
  'INSERT INTO postern_state (layout, number, place) VALUES (0, 0, 0);',
  `CREATE TABLE postern_changes (
    number bigint PRIMARY KEY,
    transaction text NOT NULL,
    gateway text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    changes text NOT NULL
  );`,
  table('postern_accounts', { unique: ['name'] }),
  table('postern_account_names'),
  table('postern_keys', { unique: ['fingerprint'], index: ['account_id'] }),
  table('postern_key_tombstones'),
  table('postern_invites', { unique: ['code_hash'] }),
  table('postern_grants', { index: ['target_key', 'account_id'] }),
  table('postern_target_tags'),
  table('postern_cas', { unique: ['name', 'fingerprint'] }),
  table('postern_revocations', { index: ['authority'] }),
  table('postern_second_factors'),
  table('postern_remembered_logins', { index: ['account_id'] }),
  table('postern_second_factor_targets'),
  table('postern_synced_targets'),
  table('postern_recording_rules'),
  table('postern_tokens', { unique: ['lookup'], index: ['key_fingerprint'] }),
  table('postern_hosts', { unique: ['slug'], index: ['via'] }),
].join('\n');

/** Engines beside the one that the configuration names. */
const second = table('postern_engines', { unique: ['name'], index: ['ssh'] });

export const migrations: readonly string[] = [first, second];
