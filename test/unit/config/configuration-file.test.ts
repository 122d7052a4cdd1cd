import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load-config.ts';
import { temporaryFile } from '../../support/gateway.ts';

/** The sentence that refuses a file of this text. */
async function refusal(text: string): Promise<string> {
  const file = await temporaryFile('postern.json', text);
  try {
    loadConfig({ env: {}, flags: {}, file });
  } catch (error) {
    return (error as Error).message.replace(file, 'FILE');
  }
  return 'taken';
}

describe('a configuration file with a mistake is refused with the line of it', () => {
  it.each([
    ['a comma too many', '{\n  "logLevel": "info",\n}\n', 3],
    ['a colon missing', '{\n  "logLevel": "info",\n  "maxAuthTries" 6\n}\n', 3],
    ['a comma missing', '{\n  "logLevel": "info"\n  "maxAuthTries": 6\n}\n', 3],
    ['a word that is none', '{\n  "logLevel": "info",\n  "httpInsecure": yes\n}\n', 3],
    ['a quote missing', '{\n  "logLevel": "info,\n  "maxAuthTries": 6\n}\n', 2],
    ['its end missing', '{\n  "logLevel": "info",\n  "maxAuthTries": 6\n', 3],
    ['something behind it', '{\n}\nmore\n', 3],
    ['nothing in it', '', 1],
  ])('%s', async (_fault, text, line) => {
    expect(await refusal(text)).toContain(`FILE cannot be used: line ${line}: `);
  });

  it('a wrong value, by key and line', async () => {
    expect(await refusal('{\n  "logLevel": "info",\n  "maxAuthTries": 0\n}\n')).toMatch(
      /^the configuration value maxAuthTries \(FILE, line 3\) is wrong/,
    );
  });

  it.each([
    ['{"workers": "x"}', 'workers (FILE, line 1) is wrong: must be a number.'],
    ['{"workers": 2.5}', 'workers (FILE, line 1) is wrong: must be a whole number.'],
    ['{"drainTimeoutSeconds": -1}', 'is wrong: must be 0 or more.'],
    ['{"tokenRatePerSecond": 0}', 'is wrong: must be more than 0.'],
    ['{"publicPort": 70000}', 'is wrong: must be 65535 or less.'],
    ['{"auditRequired": "yes"}', 'is wrong: must be true or false.'],
    ['{"dataDir": ""}', 'is wrong: must not be empty.'],
    ['{"dataDir": 7}', 'is wrong: must be text.'],
    ['{"containers": "some"}', 'is wrong: must be all or labelled.'],
    ['{"recordings": 1}', 'is wrong: must be off, all or required.'],
    ['{"acceptEnv": "LANG"}', 'is wrong: must be a list in JSON.'],
  ])('%s in words of ours', async (text, sentence) => {
    expect(await refusal(text)).toContain(sentence);
  });

  it('an unknown key, by its line', async () => {
    expect(await refusal('{\n  "logLevell": "info"\n}\n')).toMatch(
      /^unknown configuration key logLevell \(FILE, line 2\)/,
    );
  });

  it('but names no line for what a flag set', async () => {
    const file = await temporaryFile('postern.json', '{"logLevel": "info"}');
    expect(() => loadConfig({ env: {}, flags: { logLevel: 'loud' }, file })).toThrow(
      /^the configuration value logLevel is wrong/,
    );
  });
});
