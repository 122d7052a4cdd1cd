import { describe, expect, it } from 'vitest';
import { createReadCache, type Question } from '../../../../src/store/postgres/read-cache.ts';

const get = (id: string): Question => ({ kind: 'get', table: 'keys', id });
const find = (value: string): Question => ({ kind: 'find', table: 'keys', field: 'fingerprint', value });
const list = { kind: 'list', table: 'keys', field: 'accountId', value: 'a' } as const;
const row = (id: string) => ({ id });

function filled(maxRows?: number) {
  const cache = createReadCache(maxRows);
  const keep = (question: Question, answer: Parameters<typeof cache.keep>[1]) =>
    cache.keep(question, answer, cache.moment());
  return { cache, keep };
}

describe('the cache of what was read', () => {
  it('forgets what a change may have made wrong, and nothing else, and says what of it is in use', () => {
    const { cache, keep } = filled();
    keep(get('1'), row('1'));
    keep(get('2'), row('2'));
    keep(find('one'), row('1'));
    keep(find('two'), row('2'));
    keep(find('now-there'), undefined);
    keep(find('none'), undefined);
    keep(list, [row('1')]);
    keep({ ...list, value: 'b' }, [row('2')]);
    keep({ kind: 'list', table: 'keys', field: undefined, value: undefined }, [row('1'), row('2')]);
    keep({ kind: 'get', table: 'accounts', id: '1' }, row('1'));
    const values = [
      ['fingerprint', 'now-there'],
      ['accountId', 'a'],
    ] as const;
    const asked = cache.drop([{ table: 'keys', id: '1', values }]);
    const questions = [get('1'), find('one'), find('now-there'), list, get('2'), find('two'), find('none')];
    expect(questions.map((question) => cache.find(question) !== undefined)).toEqual([
      ...[false, false, false, false],
      ...[true, true, true],
    ]);
    expect(cache.find({ ...list, value: 'b' })).toBeDefined();
    expect(cache.find({ kind: 'get', table: 'accounts', id: '1' })).toBeDefined();
    expect(asked).toHaveLength(5);
    expect(asked).toEqual(expect.arrayContaining([get('1'), find('one'), find('now-there'), list]));
  });

  it('names what was renewed only once somebody has asked for it', () => {
    const { cache } = filled();
    const change = { table: 'keys', id: '1', values: [] } as const;
    cache.keep(get('1'), row('1'), cache.moment(), 'renewed');
    expect(cache.drop([change])).toEqual([]);
    cache.keep(get('1'), row('1'), cache.moment(), 'renewed');
    cache.find(get('1'));
    expect(cache.drop([change])).toEqual([get('1')]);
  });

  it('knows that a table is empty until it has a row, and that it is not until that row changes', () => {
    const { cache, keep } = filled();
    const any: Question = { kind: 'any', table: 'keys' };
    keep(any, undefined);
    cache.drop([{ table: 'keys', id: '1', values: [] }]);
    expect(cache.find(any)).toBeUndefined();
    keep(any, row('1'));
    cache.drop([{ table: 'keys', id: '2', values: [] }]);
    expect(cache.find(any)).toBeDefined();
    cache.drop([{ table: 'keys', id: '1', values: [] }]);
    expect(cache.find(any)).toBeUndefined();
  });

  it('knows that there is no row, and forgets it when there is', () => {
    const { cache, keep } = filled();
    keep(get('1'), undefined);
    expect(cache.find(get('1'))).toMatchObject({ answer: undefined });
    cache.drop([{ table: 'keys', id: '1', values: [] }]);
    expect(cache.find(get('1'))).toBeUndefined();
  });

  it('read-before-change: does not keep an answer from before a change', () => {
    const { cache } = filled();
    const before = cache.moment();
    cache.drop([{ table: 'accounts', id: 'x' }]);
    cache.keep(get('1'), row('1'), before);
    expect(cache.find(get('1'))).toBeUndefined();
  });

  it('forgets a table when any row of it may have changed', () => {
    const { cache, keep } = filled();
    keep(get('1'), row('1'));
    const before = cache.moment();
    cache.drop([{ table: 'keys' }]);
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
