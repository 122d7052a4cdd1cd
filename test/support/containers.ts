/** Containers of the real engine for tests: labelled, and removed again. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { randomId } from '../../src/platform/ids.ts';
import { runLabel, testLabel } from './engine.ts';

const run = promisify(execFile);

/** Runs the docker program; resolves to its stdout, trimmed. */
export async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('docker', [...args], { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

export interface TestContainer {
  readonly id: string;
  readonly name: string;
  /** A command as root, beside the gateway. */
  sh(script: string): Promise<string>;
  /** Kills every program whose command line begins with that; not every image has pkill. */
  killProgram(beginning: string): Promise<void>;
  remove(): Promise<void>;
}

const killScript = `for folder in /proc/[0-9]*; do
  case "$(tr '\\0' ' ' 2>/dev/null <"$folder/cmdline")" in "$1"*) kill -KILL "\${folder#/proc/}" ;; esac
done
true`;

/** A container whose first process only sleeps, and stops at once when told to. */
export async function runContainer(
  image: string,
  options: readonly string[] = [],
  command: readonly string[] = ['sleep', '100000'],
): Promise<TestContainer> {
  const name = `postern-test-${randomId(8)}`;
  const id = await docker(
    'run',
    '-d',
    '--name',
    name,
    '--label',
    `${testLabel}=1`,
    '--label',
    `${runLabel}=${process.env['TEST_RUN_ID'] ?? ''}`,
    // As a container's first process it takes no notice of SIGTERM, and would be waited for.
    '--stop-signal',
    'KILL',
    ...options,
    image,
    ...command,
  );
  const sh = (script: string, ...args: readonly string[]) =>
    docker('exec', '-u', '0', id, 'sh', '-c', script, 'sh', ...args);
  return {
    id,
    name,
    sh,
    killProgram: async (beginning) => void (await sh(killScript, beginning)),
    remove: async () => {
      await docker('rm', '-f', '-v', id).catch(() => {});
    },
  };
}
