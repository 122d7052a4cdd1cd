/**
 * sshd_config(5)'s PerSourcePenalties: what a source has earned accumulates, runs off second by second, and is
 * enforced from a minimum on. The rule alone: it knows no socket, and its time is given to it.
 */
import { isIPv6 } from 'node:net';
import type { Config } from '../config/config.ts';
import type { Clock } from '../platform/clock.ts';
import { createSoonestFirst, type SoonestFirst } from './soonest-first.ts';
import { sourceBlock } from './source-block.ts';

/** What a source is penalised for, by sshd's words. */
export type Offence = 'crash' | 'authfail' | 'noauth' | 'grace-exceeded' | 'invaliduser';

export interface Penalty {
  /** An address, or a block by PerSourceNetBlockSize. */
  readonly source: string;
  /** The last offence. */
  readonly reason: Offence;
  readonly secondsLeft: number;
  /** Enforced; else it has not come to the minimum yet. */
  readonly active: boolean;
  /** How often the source was refused meanwhile. */
  readonly refused: number;
}

/** Why a source is refused now, and for how many seconds more. */
export interface Enforced {
  readonly reason: Offence | 'overflow';
  readonly secondsLeft: number;
}

export interface Penalties {
  penalise(address: string, offence: Offence): void;
  /** Undefined: the source may come in. What is returned counts as a refusal. */
  refuse(address: string): Enforced | undefined;
  /** Longest first, at most `limit`. */
  list(limit: number): readonly Penalty[];
  /** Of how many sources something is remembered. */
  size(): number;
  /** How many of them are refused. */
  activeCount(): number;
  /** How often `refuse` refused, in all. */
  refusedCount(): number;
  /** Forgets what the source of `address` has earned; false where that is nothing. */
  clear(address: string): boolean;
  /** Returns how many there were. */
  clearAll(): number;
  /** All of it, for whoever takes its place. */
  remembered(): RememberedPenalties;
}

/** Plain data. */
export interface RememberedPenalties {
  readonly penalties: readonly Penalty[];
  readonly refused: number;
}

export interface PenaltiesDependencies {
  readonly config: Pick<Config, 'perSourcePenalties' | 'perSourceNetBlockSize'>;
  /** Must not go back. */
  readonly clock: Clock;
  readonly isExempt: (address: string) => boolean;
  /** A penalty is enforced from now on. */
  readonly onActive: (penalty: Penalty) => void;
  /** Of whoever kept them before. */
  readonly remembered?: RememberedPenalties | undefined;
}

interface Entry {
  reason: Offence;
  expiresAt: number;
  active: boolean;
  refused: number;
}

type Rules = Exclude<Config['perSourcePenalties'], false>;

export function createPenalties(dependencies: PenaltiesDependencies): Penalties {
  const { config, isExempt, onActive, remembered } = dependencies;
  const { nowSeconds, blockOf, of, everything, list } = createSources(dependencies);
  let refusals = remembered?.refused ?? 0;

  function penalise(address: string, offence: Offence): void {
    const rules = config.perSourcePenalties;
    const seconds = rules === false ? 0 : secondsOf(rules, offence);
    if (rules === false || seconds === 0 || isExempt(address)) return;
    const block = blockOf(address);
    const now = nowSeconds();
    const entries = of(block);
    const entry = entries.get(block) ?? { reason: offence, expiresAt: now, active: false, refused: 0 };
    entry.reason = offence;
    const expiresAt = Math.min(entry.expiresAt + seconds, now + rules.maxSeconds);
    const wasActive = entry.active;
    entry.active ||= expiresAt - now > rules.minSeconds;
    entries.put(block, entry, expiresAt);
    const { max, overflow } = boundOf(rules, block);
    while (overflow === 'permissive' && entries.size > max) entries.dropSoonest();
    if (entry.active && !wasActive) onActive(toPenalty(block, entry, now));
  }

  function refuse(address: string): Enforced | undefined {
    const rules = config.perSourcePenalties;
    if (rules === false || isExempt(address)) return undefined;
    const block = blockOf(address);
    const entries = of(block);
    const enforced = findEnforced(rules, block, entries, nowSeconds());
    const entry = entries.get(block);
    if (entry && enforced) entry.refused++;
    if (enforced) refusals++;
    return enforced;
  }

  return {
    penalise,
    refuse,
    list,
    remembered: () => ({ penalties: list(Number.POSITIVE_INFINITY), refused: refusals }),
    size: () => everything().length,
    activeCount: () => everything().filter(([, { active }]) => active).length,
    refusedCount: () => refusals,
    clear(address) {
      const block = blockOf(address);
      return of(block).remove(block);
    },
    clearAll() {
      const all = everything();
      for (const [block] of all) of(block).remove(block);
      return all.length;
    },
  };
}

/** What sources have earned that has not run off; IPv4 and IPv6 apart: an overflow of one does not touch the other. */
function createSources({ config, clock, remembered }: PenaltiesDependencies) {
  const families = [createSoonestFirst<Entry>(), createSoonestFirst<Entry>()] as const;
  const nowSeconds = () => Math.floor(clock.now() / 1000);
  const of = (block: string) => {
    const entries = families[isSix(block) ? 1 : 0];
    entries.forgetUntil(nowSeconds());
    return entries;
  };
  for (const { source, secondsLeft, ...entry } of remembered?.penalties ?? []) {
    const expiresAt = nowSeconds() + secondsLeft;
    of(source).put(source, { ...entry, expiresAt }, expiresAt);
  }
  const everything = () => {
    for (const entries of families) entries.forgetUntil(nowSeconds());
    return families.flatMap((entries) => entries.all());
  };
  return {
    nowSeconds,
    blockOf: (address: string) => sourceBlock(address, config.perSourceNetBlockSize),
    /** The family of this block. */
    of,
    everything,
    list: (limit: number) =>
      everything()
        .sort(([, one], [, other]) => other.expiresAt - one.expiresAt)
        .slice(0, limit)
        .map(([block, entry]) => toPenalty(block, entry, nowSeconds())),
  };
}

function findEnforced(
  rules: Rules,
  block: string,
  entries: SoonestFirst<Entry>,
  now: number,
): Enforced | undefined {
  const entry = entries.get(block);
  if (entry?.active) return { reason: entry.reason, secondsLeft: entry.expiresAt - now };
  const { max, overflow } = boundOf(rules, block);
  const isFull = overflow === 'deny-all' && entries.size > max;
  return isFull ? { reason: 'overflow', secondsLeft: 1 } : undefined;
}

const isSix = (block: string) => isIPv6(block.split('/', 1)[0] ?? '');

const boundOf = (rules: Rules, block: string) =>
  isSix(block)
    ? { max: rules.maxSources6, overflow: rules.overflow6 ?? rules.overflow }
    : { max: rules.maxSources4, overflow: rules.overflow };

const secondsOf = (rules: Rules, offence: Offence): number =>
  ({
    crash: rules.crashSeconds,
    authfail: rules.authfailSeconds,
    noauth: rules.noauthSeconds,
    'grace-exceeded': rules.graceExceededSeconds,
    invaliduser: rules.invaliduserSeconds,
  })[offence];

const toPenalty = (source: string, { expiresAt, ...entry }: Entry, now: number): Penalty => ({
  source,
  ...entry,
  secondsLeft: expiresAt - now,
});
