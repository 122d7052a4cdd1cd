/** What a login asks one after the other, in one go: a key by its fingerprint, the account it is of, and that one's second factor. */

import { selectKeyForLogin } from './layout.ts';
import type { Answer, Question } from './read-cache.ts';
import { type Ask, readRow } from './read-rows.ts';
import { storedKey } from './stored-key.ts';

export interface FoundKey {
  readonly answer: Answer;
  /** Answers to what will be asked next. */
  readonly others: readonly (readonly [Question, Answer])[];
}

export const isSearchForKey = (question: Question): question is Question & { readonly kind: 'find' } =>
  question.kind === 'find' && question.table === 'keys' && question.field === 'fingerprint';

/** Throws store-corrupt. */
export async function findKey(value: string, ask: Ask, label: string): Promise<FoundKey> {
  const [found] = await ask(selectKeyForLogin, [storedKey(value)]);
  if (!found) return { answer: undefined, others: [] };
  const key = readRow('keys', String(found['body']), label);
  const id = String(key['accountId']);
  const other = (table: 'accounts' | 'secondFactors', body: string | null | undefined) =>
    [{ kind: 'get', table, id }, body == null ? undefined : readRow(table, body, label)] as const;
  const others = [other('accounts', found['account']), other('secondFactors', found['second_factor'])];
  return { answer: key, others };
}
