/** The port over all engines together: the one that the configuration names, and those that are registered. */
import type { GatewayError } from '../errors.ts';
import type { OpenChanges } from './changes.ts';
import type { ContainerEngine, ContainerTarget } from './target.ts';

/** An engine that has not answered. */
export interface SilentEngine {
  /** Unset: the one that the configuration names. */
  readonly engine: string | undefined;
  readonly fault: GatewayError;
  /** Its containers when it last answered, since this gateway runs; unset: it never has. */
  readonly remembered: readonly ContainerTarget[] | undefined;
  /** Known to be away: whoever waits now gains nothing. */
  readonly isAway: boolean;
}

export interface Survey {
  /** Of the engines that have answered. */
  readonly containers: readonly ContainerTarget[];
  readonly silent: readonly SilentEngine[];
  /** Another, patient one might know more. */
  readonly isHasty: boolean;
}

export interface EngineStatus {
  readonly name: string | undefined;
  readonly state: 'up' | 'slow' | 'away' | 'unknown';
  /** Since when, ISO 8601. */
  readonly since: string;
  /** Why it is not up. */
  readonly fault: GatewayError | undefined;
  /** As last listed. */
  readonly containers: number | undefined;
}

/** What is done for each engine: with its own events, and its own containers, listed as they are at that moment. */
export type EachEngine = Pick<ContainerEngine, 'list' | 'openEvents' | 'ping'> & {
  /** Keys of its containers, and no other's, are these. */
  readonly owns: (targetKey: string) => boolean;
};

export interface JoinedEngine extends ContainerEngine {
  /**
   * What every engine lists, all asked at once: one that does not answer within a second is silent, and one that is known not to
   * answer is not waited for. `patient`: up to five seconds, for those that are slow, and for lists that are of this moment.
   */
  survey(options?: { readonly patient?: boolean }): Promise<Survey>;
  /** Of the engine of that name, or of the one that the configuration names. Undefined: there is none. */
  findChanges(name: string | undefined): Promise<OpenChanges | undefined>;
  statuses(): Promise<readonly EngineStatus[]>;
  /** Runs `start` for each engine that there is and that is added; what it returns, when that one is removed. Returns what ends all. */
  forEachEngine(start: (engine: EachEngine) => () => void): () => void;
}

/** The containers that there may be: those of silent engines as they were last known. */
export const withRemembered = ({
  containers,
  silent,
}: Pick<Survey, 'containers' | 'silent'>): readonly ContainerTarget[] =>
  silent.length === 0 ? containers : [...containers, ...silent.flatMap(({ remembered = [] }) => remembered)];
