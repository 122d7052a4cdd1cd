import { execFileSync } from 'node:child_process';

/** What a program of the set-up prints; the last lines of both outputs are in the error when it fails. */
export function runToEnd(program: string, args: readonly string[], folder?: string): string {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, LC_ALL: 'C' },
      ...(folder === undefined ? {} : { cwd: folder }),
    });
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${program} failed:\n${`${stdout}${stderr}`.slice(-2000) || message}`);
  }
}
