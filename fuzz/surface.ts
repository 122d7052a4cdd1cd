/** What the fuzzer takes aim at: one file per surface in `surfaces/`, named in `surfaces.ts`. */
import type { Random } from './random.ts';

export interface Surface {
  /** `throughGateway`: it goes over a socket to a gateway in a process of its own, and is far slower. */
  readonly pace: 'in this process' | 'through a gateway';
  readonly open: () => Promise<OpenSurface>;
  /** Bytes that Node itself keeps for ever of an input, whatever we do; the surface says of what. */
  readonly keptByNode?: number;
}

/** In bytes. `live`: what JavaScript holds, buffers with it; `rss`: that and what the allocators keep for later. */
export interface Memory {
  readonly live: number;
  readonly rss: number;
}

export const unknownMemory: Memory = { live: 0, rss: 0 };

export interface OpenSurface {
  /** The next input; everything about it follows from `random`. */
  readonly generate: (random: Random) => Buffer;
  /** Throws, or rejects, for whatever should not have come of an input. What the program may throw is caught here. */
  readonly run: (input: Buffer) => void | Promise<void>;
  /** Where a fault may come of inputs before the last one, too: all that belong to it, as one. */
  readonly together?: () => Buffer;
  /** After a garbage collection. Unless given, that of this process. */
  readonly memory?: () => Promise<Memory>;
  readonly close: () => Promise<void>;
}

/** What the program is not: thrown by surfaces where the outcome is wrong though nothing was thrown. */
export class WrongOutcome extends Error {
  override readonly name = 'WrongOutcome';
}

export function expectThat(isSo: boolean, what: string): asserts isSo {
  if (!isSo) throw new WrongOutcome(what);
}

/** Runs it; what it throws is fine when it is of one of these kinds. */
export function allowing<Result>(
  kinds: readonly (abstract new (...args: never[]) => Error)[],
  work: () => Result,
): Result | undefined {
  try {
    return work();
  } catch (error) {
    if (kinds.some((kind) => error instanceof kind)) return undefined;
    throw error;
  }
}
