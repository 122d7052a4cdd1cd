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

/** Of the advisory lock under which gateways come and count; any number, but always the same. */
const gatewaysLock = 7_467_737;

/**
 * Which gateways there are, and what each has: it is of the moment, told anew by each gateway where it was lost, and so not worth
 * a log. `identity` is of a data folder, `incarnation` of a process. Who came last by the name of a folder's gateway is that
 * gateway; another folder's must wait until it says nothing any more.
 */
const third = [
  `CREATE UNLOGGED TABLE postern_gateways (
    name text COLLATE "C" PRIMARY KEY,
    identity text NOT NULL,
    incarnation text NOT NULL,
    beat_at timestamptz NOT NULL
  );`,
  `CREATE UNLOGGED TABLE postern_slots (
    slot text COLLATE "C" NOT NULL,
    gateway text COLLATE "C" NOT NULL REFERENCES postern_gateways ON DELETE CASCADE,
    taken integer NOT NULL,
    PRIMARY KEY (slot, gateway)
  );`,
  'CREATE INDEX ON postern_slots (gateway);',
  'CREATE UNLOGGED TABLE postern_token_rates (key text COLLATE "C" PRIMARY KEY, full_at timestamptz NOT NULL);',
  'CREATE INDEX ON postern_token_rates (full_at);',
  `CREATE UNLOGGED TABLE postern_questions (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asked text COLLATE "C" NOT NULL,
    question text NOT NULL,
    answer text,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
  );`,
  'CREATE INDEX ON postern_questions (asked) WHERE answer IS NULL;',
  `CREATE FUNCTION postern_is_live(beat_at timestamptz) RETURNS boolean LANGUAGE sql VOLATILE
    AS $$ SELECT beat_at > clock_timestamp() - interval '5 seconds' $$;`,
  `CREATE FUNCTION postern_enter(called text, own_identity text, own_incarnation text, is_first boolean)
  RETURNS boolean LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock(${gatewaysLock});
    IF EXISTS (SELECT FROM postern_gateways WHERE name = called AND postern_is_live(beat_at)
      AND (identity <> own_identity OR (incarnation <> own_incarnation AND NOT is_first))) THEN
      RETURN false;
    END IF;
    DELETE FROM postern_gateways WHERE name = called;
    INSERT INTO postern_gateways VALUES (called, own_identity, own_incarnation, clock_timestamp());
    RETURN true;
  END $$;`,
  // Each statement of it sees what others committed before it got the lock.
  `CREATE FUNCTION postern_count_slots(
    own text, own_incarnation text, names text[], helds integer[], wanteds integer[], limits integer[]
  ) RETURNS integer[] LANGUAGE plpgsql AS $$
  DECLARE
    others bigint;
    granted integer;
    answer integer[] := '{}';
  BEGIN
    PERFORM pg_advisory_xact_lock(${gatewaysLock});
    IF NOT EXISTS (SELECT FROM postern_gateways WHERE name = own AND incarnation = own_incarnation) THEN
      RETURN NULL;
    END IF;
    FOR i IN 1 .. cardinality(names) LOOP
      granted := 0;
      IF wanteds[i] > 0 THEN
        SELECT coalesce(sum(taken), 0) INTO others FROM postern_slots JOIN postern_gateways ON name = gateway
          WHERE slot = names[i] AND gateway <> own AND postern_is_live(beat_at);
        granted := greatest(0, least(wanteds[i], limits[i] - others - helds[i]));
      END IF;
      IF helds[i] + granted = 0 THEN
        DELETE FROM postern_slots WHERE slot = names[i] AND gateway = own;
      ELSE
        INSERT INTO postern_slots VALUES (names[i], own, helds[i] + granted)
          ON CONFLICT (slot, gateway) DO UPDATE SET taken = excluded.taken;
      END IF;
      answer := answer || granted;
    END LOOP;
    RETURN answer;
  END $$;`,
].join('\n');

export const migrations: readonly string[] = [first, second, third];
