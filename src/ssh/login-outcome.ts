import type { Offence } from '../auth/penalties.ts';

/**
 * What a connection did: `offered` is a key that was probed or proven, which is no offence, for people have many and
 * cannot know which one is wanted.
 */
export type LoginConduct = 'offered' | Offence;

/** What weighs more wins; who did nothing at all is `noauth`. */
const byWeight: readonly LoginConduct[] = [
  'noauth',
  'offered',
  'invaliduser',
  'authfail',
  'grace-exceeded',
  'crash',
];

/** What a connection that ends without a login is penalised for, one offence at most. */
export class LoginOutcome {
  #worst: LoginConduct = 'noauth';

  note(conduct: LoginConduct): void {
    if (byWeight.indexOf(conduct) > byWeight.indexOf(this.#worst)) this.#worst = conduct;
  }

  get offence(): Offence | undefined {
    return this.#worst === 'offered' ? undefined : this.#worst;
  }
}

const maxJitterMs = 4_000;

/** As sshd has it: up to 4 s more, so that nobody can know when it ends; of a short time in proportion. */
export const graceWithJitter = (graceMs: number) =>
  graceMs + Math.random() * Math.min(maxJitterMs, graceMs / 30);

/** Whoever is asked whether to join, and as whom, may think about it. */
export const graceToJoin = (graceMs: number) => 5 * graceMs;
