/**
 * The second step of a login: keyboard-interactive, RFC 4256, with one prompt for a code. Begun by partial
 * success (RFC 4252 §5.1), bound to the user name of the first step, and bounded in tries.
 */
import type { KeyboardAuthContext } from 'ssh2';
import type { AwaitsCode } from '../auth/second-step.ts';

/** The only method that can continue. */
export const codeMethods: 'keyboard-interactive'[] = ['keyboard-interactive'];

/** As OpenSSH's client asks by default (NumberOfPasswordPrompts). */
const maxPrompts = 3;

export const codeBanner =
  'Your key is accepted. This account asks for a code as well, which a client in BatchMode cannot be asked for: take the code from your authenticator app, or a recovery code.';

/** What a login has come to between its two steps. */
export class CodeStep {
  readonly #awaits: AwaitsCode;
  readonly #username: string;
  #prompts = 0;
  #ended = false;

  constructor(awaits: AwaitsCode, username: string) {
    this.#awaits = awaits;
    this.#username = username;
  }

  get awaits(): AwaitsCode {
    return this.#awaits;
  }

  /** No further prompt will be given. */
  get isOver(): boolean {
    return this.#ended || this.#prompts >= maxPrompts;
  }

  end(): void {
    this.#ended = true;
  }

  mayAsk({ username }: KeyboardAuthContext): boolean {
    return username === this.#username && !this.isOver;
  }

  /** The answer; undefined when the client answers with more or less than was asked, or turns to something else. */
  ask(context: KeyboardAuthContext): Promise<string | undefined> {
    this.#prompts++;
    return new Promise((resolve) => {
      context.prompt([{ prompt: 'Code: ', echo: false }], (answers: unknown) => {
        const [only, ...more] = Array.isArray(answers) ? (answers as string[]) : [];
        resolve(more.length === 0 ? only : undefined);
      });
    });
  }
}
