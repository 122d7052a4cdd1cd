/** The gateways that share one database, as one of them sees the others. What is asked and answered is plain data. */

export interface SlotCount {
  readonly name: string;
  /** How many this gateway has. */
  readonly held: number;
  /** How many more it wants, and how many all gateways may have together. */
  readonly wanted: number;
  readonly limit: number;
}

export interface SpentRate {
  readonly key: string;
  readonly count: number;
}

export interface Spent {
  /** After so many each key's bucket is full again, whoever took from it. */
  readonly seconds: readonly number[];
  /** How many gateways there are. */
  readonly gateways: number;
}

export interface Answered {
  readonly gateway: string;
  /** Undefined: none in time. */
  readonly answer: unknown;
}

/** All but `ageMs` throws store-unavailable where the database does not answer. */
export interface OtherGateways {
  /** What the others call this one. */
  readonly name: string;
  /** Milliseconds since the moment when this gateway was last known to be one of them. */
  ageMs(): number;
  /** Called when the database answers, at first and again: what it was told before may be lost. */
  onReach(listener: () => void): void;
  /** Each count takes the place of the one before. Resolves to how many of those that were wanted it gets, for each. */
  countSlots(counts: readonly SlotCount[]): Promise<readonly number[]>;
  spend(spent: readonly SpentRate[], perSecond: number): Promise<Spent>;
  /** Asks all of them that live. */
  ask(question: unknown): Promise<readonly Answered[]>;
  /** What this one answers; the last one given counts. */
  onQuestion(answer: (question: unknown) => Promise<unknown>): void;
}
