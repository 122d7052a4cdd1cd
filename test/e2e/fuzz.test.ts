/** The fuzzer for a minute in all, with one seed: `npm run fuzz` is the same for ten, with another each time. */
import { describe, expect, it } from 'vitest';
import { surfaces } from '../../fuzz/surfaces.ts';
import { runProgram } from '../support/ssh-client.ts';

const fuzzer = new URL('../../fuzz/run.ts', import.meta.url).pathname;
/** And a second for each surface to start. */
const seconds = 40;

describe('the fuzzer', () => {
  it('finds nothing in a minute: no crash, no hang, no growth, on any surface', {
    timeout: 240_000,
  }, async () => {
    const args = [fuzzer, '--seed=tests', `--seconds=${seconds}`];
    const { text, stderr, status } = await runProgram(process.execPath, args, { timeoutMs: 230_000 });
    expect(text).not.toContain('FAULT');
    expect([stderr, status]).toEqual(['', 0]);
    for (const name of Object.keys(surfaces)) {
      expect(text).toMatch(new RegExp(`^${name} +[1-9]\\d* inputs, `, 'm'));
    }
  });

  it('says what there is when it is asked for a surface that there is not', async () => {
    const { stderr, status } = await runProgram(process.execPath, [fuzzer, '--only=nothing']);
    expect(status).toBe(2);
    expect(stderr).toContain('There is no surface nothing.');
    expect(stderr).toContain('ssh-connection');
  });
});
