import { describe, expect, it } from 'vitest';
import { createReadCache, type Question } from '../../../../src/store/postgres/read-cache.ts';

const get = (id: string): Question => ({ kind: 'get', table: 'keys', id });
const find = (value: string): Question => ({ kind: 'find', table: 'keys', field: 'fingerprint', value });
const list: Question = { kind: 'list', table: 'keys', field: 'accountId', value: 'a' };
const row = (id: string) => ({ id });

function filled(maxRows?: number) {
  const cache = createReadCache(maxRows);
  const keep = (question: Question, answer: Parameters<typeof cache.keep>[1]) =>
    cache.keep(question, answer, cache.moment());
  return { cache, keep };
}

describe('the cache of what was read', () => {
  it('forgets all that a change of a row may have made wrong, and nothing else', () => {
    const { cache, keep } = filled();
    keep(get('1'), row('1'));
    keep(get('2'), row('2'));
    keep(find('one'), row('1'));
    keep(find('two'), row('2'));
    keep(find('none'), undefined);
    keep(list, [row('1')]);
    keep({ kind: 'get', table: 'accounts', id: '1' }, row('1'));
    cache.drop([{ table: 'keys', id: '1' }]);
    const known = [get('1'), get('2'), find('one'), find('two'), find('none'), list].map(
      (question) => cache.find(question) !== undefined,
    );
    expect(known).toEqual([false, true, false, true, false, false]);
    expect(cache.find({ kind: 'get', table: 'accounts', id: '1' })).toBeDefined();
  });

  it('knows that there is no row, and forgets it when there is', () => {
    const { cache, keep } = filled();
    keep(get('1'), undefined);
    expect(cache.find(get('1'))).toMatchObject({ answer: undefined });
    cache.drop([{ table: 'keys', id: '1' }]);
    expect(cache.find(get('1'))).toBeUndefined();
  });

  it('read-before-change: does not keep an answer from before a change', () => {
    const { cache } = filled();
    const before = cache.moment();
    cache.drop([{ table: 'accounts', id: 'x' }]);
    cache.keep(get('1'), row('1'), before);
    expect(cache.find(get('1'))).toBeUndefined();
  });

  it('forgets everything when any row may have changed', () => {
    const { cache, keep } = filled();
    keep(get('1'), row('1'));
    const before = cache.moment();
    cache.drop([{ table: 'accounts' }]);
    expect(cache.find(get('1'))).toBeUndefined();
    cache.keep(get('1'), row('1'), before);
    expect(cache.find(get('1'))).toBeUndefined();
  });

  it('is bounded by rows, and forgets what was not asked for longest', () => {
    const { cache, keep } = filled(32);
    for (let id = 0; id < 32; id++) keep(get(String(id)), row(String(id)));
    cache.find(get('0'));
    keep(get('new'), row('new'));
    expect(cache.find(get('0'))).toBeDefined();
    expect(cache.find(get('1'))).toBeUndefined();
    keep(list, [row('a'), row('b'), row('c')]);
    expect(cache.find(list)).toBeUndefined();
  });

  it('takes no two questions for one, whatever stands in them', () => {
    const { cache, keep } = filled();
    keep(find('a\u0000x'), row('1'));
    keep({ kind: 'find', table: 'keys', field: 'fingerprint\u00001:a', value: 'x' }, row('2'));
    expect(cache.find(find('a\u0000x'))?.answer).toEqual(row('1'));
    expect(cache.find({ kind: 'list', table: 'keys', field: undefined, value: undefined })).toBeUndefined();
  });
});
