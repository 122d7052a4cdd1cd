/** What was acknowledged: every change whose answer was seen, and what must therefore be found at the end. */

/** Undefined: nobody saw the answer, so that both are right. */
export type Outcome = 'done' | 'refused' | undefined;

/** Rows by an id that never changes, each with its name. */
export class Model {
  readonly #rows = new Map<string, string>();
  readonly #gone = new Set<string>();
  /** Ids, and names, of which it is not known how they are. */
  readonly #unknown = new Set<string>();

  added(id: string, name: string, outcome: Outcome): void {
    if (outcome === 'done') this.#rows.set(id, name);
    else if (outcome === 'refused') this.#gone.add(id);
    else this.#unknown.add(id);
  }

  removed(id: string, outcome: Outcome): void {
    if (outcome === 'refused') return;
    this.#rows.delete(id);
    (outcome === 'done' ? this.#gone : this.#unknown).add(id);
  }

  renamed(id: string, name: string, outcome: Outcome): void {
    if (outcome === 'done') this.#rows.set(id, name);
    if (outcome !== undefined) return;
    this.#rows.delete(id);
    this.#unknown.add(id);
  }

  /** Those that are known to be there. */
  rows(): readonly (readonly [id: string, name: string])[] {
    return [...this.#rows];
  }

  /** What is wrong with what was found; empty: nothing. */
  differencesTo(found: ReadonlyMap<string, string>): readonly string[] {
    const lost = this.rows()
      .filter(([id, name]) => found.get(id) !== name)
      .map(([id, name]) => `${id} should be "${name}", and is ${found.get(id) ?? 'absent'}`);
    const back = [...this.#gone].filter((id) => found.has(id)).map((id) => `${id} should be absent`);
    const never = [...found.keys()].filter((id) => !this.#knows(id)).map((id) => `${id} came from nowhere`);
    return [...lost, ...back, ...never];
  }

  #knows(id: string): boolean {
    return this.#rows.has(id) || this.#gone.has(id) || this.#unknown.has(id);
  }
}
