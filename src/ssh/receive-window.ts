/**
 * What the peer of a channel may send to us, RFC 4254 §5.2: with what waits unread, never more than the limit. That grows
 * for a peer that is far away and a reader that keeps up, for a window is at most what one round trip carries.
 */

/** What we grant a peer at first. */
export const windowBytes = 2 * 1024 * 1024;
/** The most that ever waits here unread. */
export const maxWindowBytes = 4 * windowBytes;
/** Grants are no smaller than this part of what they fill: each costs a packet. */
const grantPart = 8;

export class ReceiveWindow {
  #limit: number;
  #left: number;
  /** Came since the limit was last raised. */
  #received = 0;

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
    this.#received += bytes;
    return true;
  }

  /** What to grant now, often nothing: only for what is not unread. */
  grant(unreadBytes: number): number {
    this.#adapt(unreadBytes);
    const bytes = this.#limit - this.#left - unreadBytes;
    if (bytes < windowBytes / grantPart) return 0;
    this.#left += bytes;
    return bytes;
  }

  /** A peer that has used its window up, though next to nothing waits here, could send more. */
  #adapt(unreadBytes: number): void {
    if (this.#limit < windowBytes) return;
    if (unreadBytes >= windowBytes) this.#limit = windowBytes;
    else if (this.#isUsedUp() && unreadBytes < windowBytes / grantPart) {
      this.#limit = Math.min(2 * this.#limit, maxWindowBytes);
      this.#received = 0;
    }
  }

  #isUsedUp(): boolean {
    return this.#left < this.#limit / 2 && this.#received >= this.#limit;
  }
}
