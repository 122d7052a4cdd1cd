/** What the operator can do that the lobby cannot: it concerns files of this machine. */
import { printable } from '../platform/printable.ts';
import type { Store } from '../store/store.ts';
import type { ControlResponse } from './control-protocol.ts';
import type { OperatorCommand } from './operator-lines.ts';

interface KeyFacts {
  readonly type: string;
  readonly fingerprint: string;
}

/** Replacing the host keys, in two steps; each resolves to the keys it is about. */
export interface Rotation {
  begin(): Promise<readonly KeyFacts[]>;
  finish(): Promise<readonly KeyFacts[]>;
}

export interface OperatorMeans {
  readonly store: Store;
  readonly hostKeys: Rotation;
  /** Makes the doors use the keys that are served now. */
  readonly renewHostKeys: () => void;
  /** Reads the configuration anew, and returns what to say about it. Throws invalid-config: then it stays as it was. */
  readonly reload: () => string;
}

/** By the first word of the line. */
export function createOperatorCommands(means: OperatorMeans): ReadonlyMap<string, OperatorCommand> {
  return new Map<string, OperatorCommand>([
    ['backup', (args) => backup(means.store, args)],
    ['hostkey', (args) => rotate(means, args)],
    ['reload', async (args) => reload(means, args)],
  ]);
}

const done = (stdout: string): ControlResponse => ({ stdout: `${stdout}\n`, stderr: '', exitStatus: 0 });
const complaint = (exitStatus: number, sentence: string): ControlResponse => ({
  stdout: '',
  stderr: `postern: ${printable(sentence)}\n`,
  exitStatus,
});

async function backup(store: Store, [file, ...more]: readonly string[]): Promise<ControlResponse> {
  if (file === undefined || more.length > 0) {
    return complaint(2, 'name one file for the backup, like "postern backup /backup/postern.json".');
  }
  try {
    await store.backup(file);
    return done(`The store was copied to ${printable(file)}.`);
  } catch (error) {
    return complaint(1, `no backup was made: ${(error as Error).message}`);
  }
}

function reload(means: OperatorMeans, args: readonly string[]): ControlResponse {
  if (args.length > 0) return complaint(2, '"reload" takes no words.');
  try {
    return done(means.reload());
  } catch (error) {
    return complaint(1, `${(error as Error).message} The configuration in force stays as it was.`);
  }
}

async function rotate(
  { hostKeys, renewHostKeys }: OperatorMeans,
  args: readonly string[],
): Promise<ControlResponse> {
  const line = args.join(' ');
  try {
    if (line === 'rotate') {
      const next = await hostKeys.begin();
      return done(
        `The next host keys are announced from now on, beside those in use:\n${listOf(next)}\nWhen everybody has connected once, put them in use: postern hostkey rotate --finish`,
      );
    }
    if (line === 'rotate --finish') {
      const serving = await hostKeys.finish();
      renewHostKeys();
      return done(`In use for new connections:\n${listOf(serving)}\nThe old keys are kept as *.old.`);
    }
    return complaint(
      2,
      'the operator\'s commands for host keys are "hostkey rotate" and "hostkey rotate --finish".',
    );
  } catch (error) {
    return complaint(1, (error as Error).message);
  }
}

const listOf = (keys: readonly KeyFacts[]) =>
  keys.map(({ type, fingerprint }) => `  ${type} ${fingerprint}`).join('\n');
