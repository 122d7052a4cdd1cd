/** A prompt of the lobby that stays open, and says what it shows. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { until } from './processes.ts';
import { type KeyPair, type SshTarget, spawnSsh } from './ssh-client.ts';

export interface Prompt {
  readonly child: ChildProcess;
  readonly shown: () => string;
  /** Resolves to status and signal. */
  readonly left: Promise<unknown[]>;
  /** Types a line, and resolves when what it shows from then on matches. */
  ask(line: string, answer: RegExp): Promise<void>;
}

export async function openPrompt(target: SshTarget, key: KeyPair): Promise<Prompt> {
  const child = spawnSsh(target, undefined, { key, args: ['-tt'] });
  const left = once(child, 'close');
  let shown = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      shown += chunk;
    });
  }
  await until(() => shown.includes('▶'));
  return {
    child,
    left,
    shown: () => shown,
    async ask(line, answer) {
      const before = shown.length;
      child.stdin?.write(`${line}\r`);
      await until(() => answer.test(shown.slice(before)));
    },
  };
}
