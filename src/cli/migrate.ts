/** `postern migrate --from PLACE --to PLACE`: all rows of a data folder into a database, or back. */
import { holdsPassword, isDatabaseUrl, isStore } from '../config/store-url.ts';
import { GatewayError } from '../errors.ts';
import { parseFlags } from './parse-flags.ts';
import type { CliCommand } from './run-cli.ts';

const flags = {
  from: { type: 'string', requiresArg: true, describe: 'data folder, or postgres://USER@HOST/DATABASE' },
  to: { type: 'string', requiresArg: true, describe: 'the same, empty' },
} as const;

const usage = `--from PLACE --to PLACE

Copies all accounts, keys and other rows from a data folder into a PostgreSQL database, or back, and compares counts and hashes
of both at the end. Cut off, it goes on when it is run again. Stop the gateways first: what they change meanwhile stays behind.
Host keys, identities, audit and recordings are files, and stay in their folders. A password goes into PGPASSWORD or PGPASSFILE.`;

export const migrate: CliCommand = async (args, terminal) => {
  const parsed = await parseFlags(args, { name: 'postern migrate', usage, flags }, terminal);
  if (!parsed) return 0;
  const { from, to } = parsed.flags;
  if (from === undefined || to === undefined) {
    throw new GatewayError('usage', { problem: 'name both places: postern migrate --from DIR --to URL.' });
  }
  for (const place of [from, to]) checkPlace(place);
  if (isDatabaseUrl(from) === isDatabaseUrl(to)) {
    const problem =
      'one place is a data folder, the other a database: "postern backup" copies a folder, pg_dump a database.';
    throw new GatewayError('usage', { problem });
  }
  // Loaded only here: the driver costs every command some time.
  const { labelOfPlace, migrateStore } = await import('../gateway-migrate.ts');
  const digests = await migrateStore(from, to);
  const width = Math.max(...digests.map(({ table }) => table.length));
  for (const { table, rows, sha256 } of digests) {
    terminal.stdout.write(`${table.padEnd(width)}  ${String(rows).padStart(8)}  ${sha256}\n`);
  }
  const total = digests.reduce((sum, { rows }) => sum + rows, 0);
  terminal.stdout.write(
    `${total} rows are in ${labelOfPlace(to)} as they are in ${labelOfPlace(from)}: counts and hashes agree. The old place was left as it is; start gateways with the new one only.\n`,
  );
  return 0;
};

function checkPlace(place: string): void {
  if (place.includes('://') && !isStore(place)) {
    throw new GatewayError('usage', { problem: 'a place is a folder, or postgres://USER@HOST/DATABASE.' });
  }
  if (!holdsPassword(place)) return;
  const problem =
    'a password in a flag could be read by everybody on this machine: put it into PGPASSWORD or PGPASSFILE.';
  throw new GatewayError('usage', { problem });
}
