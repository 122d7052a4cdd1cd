/** The rules about engines over the store. */
import { GatewayError, isGatewayError } from '../errors.ts';
import { readHostTarget } from '../hosts/host-target.ts';
import { type Clock, isoTime } from '../platform/clock.ts';
import { excerpt } from '../platform/excerpt.ts';
import { randomId } from '../platform/ids.ts';
import type { EngineRow, TableName } from '../store/schema.ts';
import type { Reader, Store, Transaction } from '../store/store.ts';
import { checkEngineName, keysOfEngine } from './engine-names.ts';
import { isLoopback, parseEngineUrl } from './engine-url.ts';
import type { Engines, EngineToAdd, TryEngine } from './engines.ts';
import { readTlsFiles } from './tls-files.ts';

export interface EnginesDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly dataDir: string;
  readonly tryEngine: TryEngine;
}

const maxEngines = 200;

export function createEngines({ store, clock, dataDir, tryEngine }: EnginesDependencies): Engines {
  const get = async (reader: Reader, name: string): Promise<EngineRow> => {
    const found = await reader.find('engines', 'name', name);
    if (found) return found;
    throw new GatewayError('engine-not-found', { engine: excerpt(name) });
  };

  return {
    async add(engine) {
      const { createdBy, ssh } = engine;
      const name = checkEngineName(engine.name);
      checkWay(engine);
      if (ssh) await checkSsh(store, ssh.id);
      const tls = engine.tls === undefined ? undefined : (await readTlsFiles(dataDir, engine.tls)).folder;
      const row: EngineRow = {
        id: randomId(),
        name,
        url: engine.url,
        ...(tls === undefined ? {} : { tls }),
        ...(ssh ? { ssh: ssh.id } : {}),
        createdBy,
        createdAt: isoTime(clock),
      };
      await refuseAdding(store, row);
      const unanswered = await tryEngine(row).then(() => undefined, asReason);
      await store.transact(async (transaction) => {
        await refuseAdding(transaction, row);
        await transaction.put('engines', row);
      });
      return { engine: row, ...(unanswered ? { unanswered } : {}) };
    },

    list: () => store.list('engines'),
    get: (name) => get(store, name),

    setDraining: (name, draining) =>
      store.transact(async (transaction) => {
        const { draining: _, ...row } = await get(transaction, name);
        const changed: EngineRow = { ...row, ...(draining ? { draining } : {}) };
        await transaction.put('engines', changed);
        return changed;
      }),

    remove: (name) =>
      store.transact(async (transaction) => {
        const row = await get(transaction, name);
        await forgetContainers(transaction, name);
        await transaction.remove('engines', row.id);
        return row;
      }),
  };
}

/** Whoever listens on the way to an engine without TLS is root on its machine. Throws invalid-engine. */
function checkWay({ url, tls, ssh, plaintext = false }: EngineToAdd): void {
  const wrong = (problem: string) => new GatewayError('invalid-engine', { problem });
  const place = parseEngineUrl(url);
  if (tls !== undefined && ssh) throw wrong('--tls and --ssh are two ways; choose one.');
  if (place.kind === 'unix') {
    if (tls !== undefined || plaintext) throw wrong('--tls and --plaintext are for tcp:// addresses.');
    return;
  }
  if (ssh) throw wrong('with --ssh the address is a path on that host: unix:///var/run/docker.sock.');
  if (tls !== undefined && plaintext) throw wrong('--tls and --plaintext exclude each other.');
  if (tls === undefined && !plaintext && !isLoopback(place.hostname)) {
    throw wrong(
      'whoever can listen between the gateway and that address would be root there: give --tls=FOLDER, or --ssh=HOST, or --plaintext where nobody can.',
    );
  }
}

/** Throws host-via-refused; invalid-engine where the gateway itself may not log in there. */
async function checkSsh(reader: Reader, hostId: string): Promise<void> {
  const host = await reader.get('hosts', hostId);
  const keys = host && (await readHostTarget(reader, host)).gatewayKeys;
  if (keys && (keys.identityFile !== undefined || keys.egressKey)) return;
  throw new GatewayError('invalid-engine', {
    problem: `the gateway itself cannot log in to "${host?.name ?? hostId}": an admin must have added it with --identity-file or --egress-key.`,
  });
}

/** Throws engine-name-taken, too-many-engines, invalid-engine. */
async function refuseAdding(reader: Reader, row: EngineRow): Promise<void> {
  if (await reader.find('engines', 'name', row.name)) {
    throw new GatewayError('engine-name-taken', { name: row.name });
  }
  if ((await reader.list('engines')).length >= maxEngines) {
    throw new GatewayError('too-many-engines', { limit: maxEngines });
  }
  if (row.ssh !== undefined) await checkSsh(reader, row.ssh);
}

function asReason(error: unknown): GatewayError {
  if (!isGatewayError(error)) throw error;
  return error;
}

const rulesByKey = [
  'targetTags',
  'secondFactorTargets',
  'syncedTargets',
  'recordingRules',
] as const satisfies readonly TableName[];

/** Another engine may have that name one day: it must find nothing that was given to this one's containers. */
async function forgetContainers(transaction: Transaction, name: string): Promise<void> {
  const keys = keysOfEngine(name);
  for (const { id, targetKey } of await transaction.list('grants')) {
    if (targetKey.startsWith(keys)) await transaction.remove('grants', id);
  }
  for (const table of rulesByKey) {
    for (const { id } of await transaction.list(table)) {
      if (id.startsWith(keys)) await transaction.remove(table, id);
    }
  }
}
