/** A person's authenticator app, and the way OpenSSH asks its owner: SSH_ASKPASS. */
import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeAt, stepAt } from '../../src/second-factor/totp.ts';
import type { TestGateway } from './gateway.ts';
import type { KeyPair, SshOptions } from './ssh-client.ts';

/** Each reading is a minute later, so that the app shows a code that was not used. */
export function movedClock() {
  let ahead = 0;
  let standsAtMs: number | undefined;
  return {
    now: () => standsAtMs ?? Date.now() + ahead,
    advance: (ms: number) => (ahead += ms),
    /** It stands there, however long the next steps take, until it is told to go on: by undefined. */
    standAt: (ms: number | undefined) => {
      standsAtMs = ms;
    },
  };
}

export type MovedClock = ReturnType<typeof movedClock>;

export interface Enrolled {
  readonly secret: string;
  readonly recoveryCodes: readonly string[];
  /** A code that was not shown before; the clock has moved for it. */
  readonly nextCode: () => string;
  /** The code of this very moment, again and again. */
  readonly code: () => string;
}

/** Enrolls the account of a key that is not asked for a code yet. */
export async function enrollOverSsh(door: TestGateway, key: KeyPair, clock: MovedClock): Promise<Enrolled> {
  const shown = await door.ssh('mfa enroll --json', { key });
  if (shown.status !== 0) throw new Error(shown.stderr);
  const { secret } = JSON.parse(shown.text) as { secret: string };
  const code = () => codeAt(secret, stepAt(clock.now()));
  const confirmed = await door.ssh(`mfa confirm ${code()} --json`, { key });
  if (confirmed.status !== 0) throw new Error(confirmed.stderr);
  const { recovery_codes: recoveryCodes } = JSON.parse(confirmed.text) as { recovery_codes: string[] };
  const nextCode = () => {
    clock.advance(60_000);
    return code();
  };
  return { secret, recoveryCodes, code, nextCode };
}

/** What makes ssh answer its prompts with `answers`, in turn; `asked` tells what it was asked. */
export async function answering(
  ...answers: readonly string[]
): Promise<{ options: SshOptions; asked: () => Promise<string[]> }> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-askpass-'));
  const script = join(folder, 'askpass');
  await writeFile(join(folder, 'answers'), answers.map((answer) => `${answer}\n`).join(''));
  await writeFile(join(folder, 'asked'), '');
  await writeFile(
    script,
    `#!/bin/sh
printf '%s\\n' "$1" >> '${folder}/asked'
sed -n "$(wc -l < '${folder}/asked')p" '${folder}/answers'
`,
  );
  await chmod(script, 0o700);
  const asked = async () => (await readFile(join(folder, 'asked'), 'utf8')).split('\n').filter(Boolean);
  return { options: { env: { SSH_ASKPASS: script, SSH_ASKPASS_REQUIRE: 'force' } }, asked };
}
