/**
 * USERAUTH_REQUESTs one at a time, in the order they came in. A client need not wait for an answer before it sends
 * the next (RFC 4252 §5.1); ssh2 takes the latest first, and none after the answer to a key without a signature.
 */

/** As many as ssh2 keeps. */
const maxWaiting = 10;

export class LoginRequests {
  readonly #handle: (payload: Buffer) => void;
  readonly #onOverflow: () => void;
  readonly #waiting: Buffer[] = [];
  #state: 'idle' | 'busy' | 'over' = 'idle';

  /** `onOverflow`: more wait than a client has a reason for. */
  constructor(handle: (payload: Buffer) => void, onOverflow: () => void) {
    this.#handle = handle;
    this.#onOverflow = onOverflow;
  }

  take(payload: Buffer): void {
    // RFC 4252 §5.3: what comes after success is ignored.
    if (this.#state === 'over') return;
    if (this.#state === 'idle') {
      this.#state = 'busy';
      this.#handle(payload);
    } else if (this.#waiting.length === maxWaiting) this.#onOverflow();
    else this.#waiting.push(Buffer.from(payload));
  }

  /** The request at hand has its answer, or its prompt, which the next request makes void. */
  answered(): void {
    // Later in this tick, when ssh2 has finished with the one before.
    queueMicrotask(() => {
      if (this.#state !== 'busy') return;
      const next = this.#waiting.shift();
      if (next) this.#handle(next);
      else this.#state = 'idle';
    });
  }

  /** Somebody is logged in. */
  end(): void {
    this.#state = 'over';
    this.#waiting.length = 0;
  }
}
