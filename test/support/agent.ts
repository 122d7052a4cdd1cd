/** OpenSSH's own agent, with keys in it. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './container-processes.ts';
import type { KeyPair } from './ssh-client.ts';
import { isListening } from './streamlocal.ts';

const run = promisify(execFile);

export interface RealAgent {
  /** What ssh needs to find it. */
  readonly env: { readonly SSH_AUTH_SOCK: string };
  stop(): Promise<void>;
}

export async function startRealAgent(keys: readonly KeyPair[]): Promise<RealAgent> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-agent-'));
  const env = { SSH_AUTH_SOCK: join(folder, 'agent') };
  const agent = spawn('ssh-agent', ['-D', '-a', env.SSH_AUTH_SOCK], { stdio: 'ignore' });
  const ended = new Promise((resolve) => agent.once('exit', resolve));
  if (!(await until(async () => isListening(env.SSH_AUTH_SOCK), 10_000)))
    throw new Error('no ssh-agent came up');
  for (const { file } of keys) await run('ssh-add', ['-q', file], { env: { ...process.env, ...env } });
  return {
    env,
    async stop() {
      agent.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
