/** Tells when something changed that decides whose keys open which container: not a key's last use, nor that a container is gone. */
import type { Rows, TableName } from '../store/schema.ts';
import type { Change, Store } from '../store/store.ts';

/** What of a row matters. */
type Relevant = { readonly [T in TableName]?: (row: Rows[T]) => unknown };

const relevant: Relevant = {
  accounts: (row) => row,
  keys: ({ lastUsedAt: _, ...row }) => row,
  grants: (row) => row,
  targetTags: (row) => row,
  secondFactors: ({ confirmedAt }) => confirmedAt,
  secondFactorTargets: (row) => row,
  syncedTargets: ({ id }) => id,
  recordingRules: (row) => row,
};

/** Calls `onRelevant` until the returned function is called. */
export function watchKeyChanges(
  store: Store,
  onRelevant: () => void,
  onError: (error: unknown) => void,
): () => void {
  const known = new Map<string, string>();

  const isNews = async ({ table, id }: Change): Promise<boolean> => {
    const of = relevant[table] as ((row: unknown) => unknown) | undefined;
    if (!of || id === undefined) return of !== undefined;
    const row = await store.get(table, id);
    const now = row === undefined ? undefined : JSON.stringify(of(row) ?? null);
    const name = `${table} ${id}`;
    if (now !== undefined && known.get(name) === now) return false;
    if (now === undefined) known.delete(name);
    else known.set(name, now);
    return true;
  };

  return store.onChange((changes) => {
    Promise.all(changes.map(isNews)).then((news) => {
      if (news.includes(true)) onRelevant();
    }, onError);
  });
}
