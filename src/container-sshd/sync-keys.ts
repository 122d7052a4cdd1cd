/** Writes the keys that open a container into its default user's authorized_keys. */
import type { LeftOut, ListReachingKeys, ReachingKey } from '../auth/reaching-keys.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import { printable } from '../platform/printable.ts';
import { inTurn, type Slots } from '../platform/slots.ts';
import type { ContainerEngine, ContainerTarget, ScriptEnd } from '../targets/target.ts';
import { authorizedKeysLine } from './authorized-keys-line.ts';
import { createIsOurs, parseKeyFile, writeKeyFile } from './key-block.ts';
import {
  changedMeanwhile,
  maxKeyFileBytes,
  readScript,
  refusals,
  tooLarge,
  writeScript,
} from './sync-scripts.ts';

/** `withdraw` only takes away and narrows: for a container that nobody wants kept in step, but that holds keys of ours. */
export type SyncMode = 'all' | 'withdraw';

export interface SyncOutcome {
  /** Keys of ours in the file now. */
  readonly synced: number;
  readonly leftOut: readonly LeftOut[];
  /** Whose file it is. */
  readonly user: string;
}

export interface SyncKeysDependencies {
  readonly engine: Pick<ContainerEngine, 'runScript'>;
  readonly listReachingKeys: ListReachingKeys;
  readonly slots: Slots;
}

/** `onListed` is told which keys open the container as its file is written; whoever listed them before may know others. */
export type SyncKeys = (
  target: ContainerTarget,
  mode: SyncMode,
  onListed?: (keys: readonly ReachingKey[]) => void,
) => Promise<SyncOutcome>;

const withinMs = 30_000;
const attempts = 4;

/** One sync at a time in each container: who listed its keys first must not write them last. Throws sync-refused, and what `runScript` throws. */
export function createSyncKeys({ engine, listReachingKeys, slots }: SyncKeysDependencies): SyncKeys {
  const last = new Map<string, Promise<unknown>>();

  const run = async (target: ContainerTarget, script: string, args: readonly string[], stdin?: Buffer) => {
    const maxOutputBytes = maxKeyFileBytes + 256;
    const common = { user: 'default', withinMs, maxOutputBytes } as const;
    const given = stdin === undefined ? {} : { stdin };
    const options = { ...common, ...given, script, args: [String(maxKeyFileBytes), ...args] };
    const end = await engine.runScript(target, options).catch((error: unknown) => {
      if (isGatewayError(error, 'no-shell')) throw refused(target, 'its image has no shell');
      throw error;
    });
    const isChanged = end.exitStatus === changedMeanwhile;
    if ((end.exitStatus !== 0 && !isChanged) || end.truncated) throw refused(target, problemOf(end));
    return { ...end, isChanged };
  };

  const replace = async (target: ContainerTarget, reaching: readonly ReachingKey[], mode: SyncMode) => {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const { stdout, user } = await run(target, readScript, []);
      const [content, text] = splitFirstLine(stdout.toString('latin1'));
      const file = parseKeyFile(text);
      if (!file) throw refused(target, 'our part of its authorized_keys has lost its last line; repair it');
      const isOurs = createIsOurs(file);
      const kept = mode === 'all' ? reaching : reaching.filter(({ key }) => isOurs(key.publicKey));
      const lines = kept.map((each) => Buffer.from(authorizedKeysLine(each)).toString('latin1'));
      const wanted = writeKeyFile(file, lines);
      if (wanted === text) return { synced: kept.length, user };
      const bytes = Buffer.from(wanted, 'latin1');
      if (bytes.length >= maxKeyFileBytes) throw refused(target, tooLarge);
      const written = await run(target, writeScript, [content, String(bytes.length)], bytes);
      if (!written.isChanged) return { synced: kept.length, user };
    }
    throw refused(target, 'its authorized_keys is being changed all the time; try again');
  };

  const sync: SyncKeys = async (target, mode, onListed) => {
    const { keys, leftOut } = await listReachingKeys(target);
    onListed?.(keys);
    return { ...(await replace(target, keys, mode)), leftOut };
  };

  return (target, mode, onListed) => {
    const before = last.get(target.id) ?? Promise.resolve();
    const mine = before
      .catch(() => undefined)
      .then(() => inTurn(slots, `sshd sync ${target.id}`, () => sync(target, mode, onListed)));
    last.set(target.id, mine);
    const forget = () => {
      if (last.get(target.id) === mine) last.delete(target.id);
    };
    mine.then(forget, forget);
    return mine;
  };
}

const refused = ({ name }: ContainerTarget, problem: string) =>
  new GatewayError('sync-refused', { name, problem });

function problemOf({ exitStatus, lastOutput }: ScriptEnd): string {
  const said = printable(excerpt(lastOutput.trim().replace(/\s*\n\s*/g, '; '), 200));
  return refusals.get(exitStatus) ?? `writing it ended with status ${exitStatus} (${said || 'no output'})`;
}

function splitFirstLine(text: string): readonly [line: string, rest: string] {
  const end = text.indexOf('\n');
  return end === -1 ? [text, ''] : [text.slice(0, end), text.slice(end + 1)];
}
