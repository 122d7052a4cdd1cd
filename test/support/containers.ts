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
  remove(): Promise<void>;
}

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
    `${runLabel}=${process.env['POSTERN_TEST_RUN'] ?? ''}`,
    ...options,
    image,
    ...command,
  );
  return {
    id,
    name,
    sh: (script) => docker('exec', '-u', '0', id, 'sh', '-c', script),
    remove: async () => {
      await docker('rm', '-f', '-v', id).catch(() => {});
    },
  };
}
