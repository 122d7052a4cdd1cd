/** What the operator can do that the lobby cannot: it concerns files of this machine. */
import { printable } from '../platform/printable.ts';
import type { ControlAnswer, ControlResponse } from './control-protocol.ts';
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
  /** What the gateway is, in one file. */
  readonly makeBackup: () => Promise<Buffer>;
  /** Checks a backup and decides that it holds from the next start on; resolves to a sentence. Throws backup-refused. */
  readonly stageRestore: (bytes: Buffer) => Promise<string>;
  /** Ends the gateway and starts it again; undefined where nobody would. */
  readonly restart: (() => void) | undefined;
  /**
   * Has a successor take over; undefined where there are no workers. Rejects with a sentence where all stays as it is. What
   * is open ends after `timeoutMs`; undefined: when whoever opened it ends it.
   */
  readonly replace: ((timeoutMs?: number) => Promise<void>) | undefined;
  readonly hostKeys: Rotation;
  /** Makes the doors serve and announce the keys of now. */
  readonly renewHostKeys: () => Promise<void>;
  /**
   * Reads configuration and host keys anew, and resolves to what to say about it. Throws invalid-config, or a sentence about
   * a host key: then both stay as they were.
   */
  readonly reload: () => Promise<string>;
}

/** By the first word of the line. */
export function createOperatorCommands(means: OperatorMeans): ReadonlyMap<string, OperatorCommand> {
  let last: Promise<unknown> = Promise.resolve();
  // No backup is made of half a rotation.
  const inTurn =
    (command: OperatorCommand): OperatorCommand =>
    (args, body) => {
      const mine = last.then(() => command(args, body));
      last = mine.catch(() => {});
      return mine;
    };
  return new Map<string, OperatorCommand>([
    ['backup', inTurn(() => backup(means))],
    ['restore', inTurn((_args, body) => restore(means, body))],
    ['hostkey', inTurn((args) => rotate(means, args))],
    ['restart', async (args) => replace(means, args)],
    ['reload', async (args) => reload(means, args)],
  ]);
}

const done = (stdout: string): ControlResponse => ({ stdout: `${stdout}\n`, stderr: '', exitStatus: 0 });
const complaint = (exitStatus: number, sentence: string): ControlResponse => ({
  stdout: '',
  stderr: `postern: ${printable(sentence)}\n`,
  exitStatus,
});

async function backup({ makeBackup }: OperatorMeans): Promise<ControlAnswer> {
  try {
    return { stdout: '', stderr: '', exitStatus: 0, body: await makeBackup() };
  } catch (error) {
    return complaint(1, `no backup was made: ${(error as Error).message}`);
  }
}

async function restore({ stageRestore, restart }: OperatorMeans, body: Buffer): Promise<ControlAnswer> {
  if (!restart) {
    return complaint(1, 'this gateway cannot start itself again; stop it, restore, and start it.');
  }
  try {
    const said = await stageRestore(body);
    return { ...done(`${said} All connections were ended.`), afterwards: restart };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return complaint(1, code?.startsWith('E') ? `nothing was restored: ${message}.` : message);
  }
}

const longestTimeoutSeconds = 604_800;

/** Of `--timeout=SECONDS` alone; undefined: it is something else. */
function parseTimeoutMs(args: readonly string[]): number | undefined {
  const [, digits] = /^--timeout[= ](\d{1,6})$/.exec(args.join(' ')) ?? [];
  const seconds = Number(digits);
  return seconds >= 1 && seconds <= longestTimeoutSeconds ? seconds * 1000 : undefined;
}

async function replace(means: OperatorMeans, args: readonly string[]): Promise<ControlResponse> {
  const timeoutMs = parseTimeoutMs(args);
  if (args.length > 0 && timeoutMs === undefined) {
    return complaint(
      2,
      `"restart" takes --timeout=SECONDS (1 to ${longestTimeoutSeconds}), and nothing else.`,
    );
  }
  if (!means.replace) {
    return complaint(
      1,
      'this gateway is one process (workers: 0), which a restart would end; stop it and start it.',
    );
  }
  try {
    await means.replace(timeoutMs);
    const howLong = timeoutMs === undefined ? '' : ` for ${timeoutMs / 1000} s`;
    return done(`Another supervisor is in charge; what was open stays open${howLong}.`);
  } catch (error) {
    return complaint(1, `no restart: ${(error as Error).message} What runs goes on.`);
  }
}

async function reload(means: OperatorMeans, args: readonly string[]): Promise<ControlResponse> {
  if (args.length > 0) return complaint(2, '"reload" takes no words.');
  try {
    return done(await means.reload());
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
      await renewHostKeys();
      return done(
        `The next host keys are announced from now on, beside those in use:\n${listOf(next)}\nWhen everybody has connected once, put them in use: postern hostkey rotate --finish`,
      );
    }
    if (line === 'rotate --finish') {
      const serving = await hostKeys.finish();
      await renewHostKeys();
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
