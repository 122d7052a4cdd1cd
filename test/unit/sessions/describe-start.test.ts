import { expect, it } from 'vitest';
import { describeStart } from '../../../src/sessions/describe-start.ts';

it('a command in another encoding can be put into JSON that databases take', () => {
  expect(describeStart({ kind: 'exec', command: 'cat \udce9.txt' })).toBe('cat \ufffd.txt');
});
