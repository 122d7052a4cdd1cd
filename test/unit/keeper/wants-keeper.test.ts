import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wantsKeeper } from '../../../src/keeper/wants-keeper.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-wants-keeper-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (text: string) => {
  const path = join(folder, `${text.length}.json`);
  writeFileSync(path, text);
  return path;
};
const four = { POSTERN_WORKERS: '4' };
const none = { POSTERN_WORKERS: '0' };

describe('a keeper is wanted', () => {
  it('by serve, and by flags alone', () => {
    for (const argv of [
      ['serve'],
      [],
      ['--ssh-listen=127.0.0.1:0'],
      ['--data', 'x'],
      ['--data', 'x', 'serve'],
    ]) {
      expect([argv, wantsKeeper(argv, four)]).toEqual([argv, true]);
    }
  });

  it('by no other command, nor for help', () => {
    for (const argv of [
      ['reload'],
      ['--data', 'x', 'backup', 'f'],
      ['--data=x', 'backup', 'f'],
      ['serve', '--help'],
      ['-h'],
      ['--version'],
      ['supervise'],
    ]) {
      expect([argv, wantsKeeper(argv, four)]).toEqual([argv, false]);
    }
  });

  it('unless 0 workers are: the flag counts more than the file, and that more than the variable', () => {
    expect(wantsKeeper(['serve'], none)).toBe(false);
    expect(wantsKeeper(['serve', '--workers=2'], none)).toBe(true);
    expect(wantsKeeper(['serve', '--workers', '0'], four)).toBe(false);
    expect(wantsKeeper(['serve', '--workers=3', '--workers=0'], four)).toBe(false);
    const withNone = file('{"workers":0}');
    expect(wantsKeeper(['serve', '--config', withNone], four)).toBe(false);
    expect(wantsKeeper(['serve', `--config=${withNone}`, '--workers=1'], {})).toBe(true);
    expect(wantsKeeper(['serve', `--config=${file('{"workers": 2}')}`], none)).toBe(true);
  });

  it('with a file that is broken, so that whoever reads it in full complains of it', () => {
    expect(wantsKeeper(['serve', `--config=${file('{"workers": 2,,}')}`], four)).toBe(true);
    expect(wantsKeeper(['serve', `--config=${file('null')}`], four)).toBe(true);
  });

  it('not with a file that can be read but once', () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    expect(wantsKeeper(['serve', `--config=${fifo}`], four)).toBe(false);
  });
});
