/** What the peer of a channel may send to us, RFC 4254 §5.2: with what waits unread, never more than `windowBytes`. */

/** What we grant a peer, and the most that waits here unread. */
export const windowBytes = 2 * 1024 * 1024;

export class ReceiveWindow {
  #limit: number;
  #left: number;

  constructor(isOpen: boolean) {
    this.#limit = isOpen ? windowBytes : 0;
    this.#left = this.#limit;
  }

  /** What the peer may send now. */
  get left(): number {
    return this.#left;
  }

  open(): void {
    this.#limit = windowBytes;
  }

  /** False when the peer has sent more than it may. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** What to grant now, often nothing: grants come in halves, and only for what is not unread. */
  grant(unreadBytes: number): number {
    const bytes = this.#limit - this.#left - unreadBytes;
    if (bytes < windowBytes / 2) return 0;
    this.#left += bytes;
    return bytes;
  }
}
