import { describe, expect, it } from 'vitest';
import { corpus } from '../../../fuzz/corpus.ts';
import { mutant } from '../../../fuzz/mutate.ts';
import { createRandom } from '../../../fuzz/random.ts';
import { joinMessages, splitMessages } from '../../../fuzz/streams.ts';

const seeds = corpus.keyFiles.map((text) => Buffer.from(text));
const inputsOf = (seed: string) =>
  Array.from({ length: 500 }, (_, index) => mutant(seeds, createRandom(`${seed} ${index}`)).toString('hex'));

describe("the fuzzer's inputs", () => {
  it('are the same for the same seed, others for another, and few are what they began as', () => {
    const inputs = inputsOf('a');
    expect(inputsOf('a')).toEqual(inputs);
    expect(inputsOf('b')).not.toEqual(inputs);
    const sound = new Set(seeds.map((seed) => seed.toString('hex')));
    expect(inputs.filter((input) => sound.has(input)).length).toBeLessThan(50);
    expect(new Set(inputs).size).toBeGreaterThan(450);
  });

  it('hold messages that are found again, and are read to their end whatever was cut off', () => {
    const messages = ['one', '', 'three'].map((text) => Buffer.from(text));
    const input = joinMessages(messages);
    expect(splitMessages(input)).toEqual(messages);
    for (let length = 0; length < input.length; length++) {
      expect(splitMessages(input.subarray(0, length)).length).toBeLessThanOrEqual(messages.length);
    }
  });

  it('begin with keys and tokens of which nothing secret is kept', () => {
    expect(JSON.stringify(corpus)).not.toMatch(/PRIVATE|b3BlbnNzaC1rZXk/);
  });
});
