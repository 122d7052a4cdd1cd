/** A terminal after a playback, asked of a real one: tmux. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createTerminalReset } from '../../../src/recordings/terminal-reset.ts';

const run = promisify(execFile);

const state =
  '#{alternate_on} #{cursor_flag} #{insert_flag} #{keypad_flag} #{keypad_cursor_flag} #{wrap_flag} #{origin_flag} #{scroll_region_upper}-#{scroll_region_lower}';
const usual = '0 1 0 0 0 1 0 0-11';

/** What such a terminal shows, and how it is, after a playback of `shown` and a prompt. */
async function after(shown: string): Promise<{ lines: string[]; state: string }> {
  const reset = createTerminalReset();
  reset.saw(shown);
  const folder = await mkdtemp(join(tmpdir(), 'postern-tmux-'));
  const tmux = async (...args: readonly string[]) =>
    (await run('tmux', ['-S', join(folder, 'socket'), '-f', '/dev/null', ...args])).stdout;
  const file = join(folder, 'shown');
  await writeFile(file, `before\r\n${shown}${reset.sequence()}prompt`);
  await tmux('new-session', '-d', '-x', '40', '-y', '12', `cat ${file}; exec sleep 60`);
  try {
    const lines = async () => (await tmux('capture-pane', '-p')).trimEnd().split('\n');
    await expect.poll(lines).toContainEqual('prompt');
    return { lines: await lines(), state: (await tmux('display-message', '-p', state)).trim() };
  } finally {
    await tmux('kill-server');
    await rm(folder, { recursive: true, force: true });
  }
}

describe('after a playback', () => {
  it('the prompt stands below what was shown, and hides nothing of it', async () => {
    const { lines, state } = await after('one\r\n\x1b[1mtwo');
    expect([lines, state]).toEqual([['before', 'one', 'two', 'prompt'], usual]);
  });

  it('that was left in a full screen, what was there before is there again', async () => {
    const { lines, state } = await after('\x1b[?1049;25h\x1b[2J\x1b[?25l\x1b[2;5r\x1b[?6h\x1b[Hfull');
    expect([lines, state]).toEqual([['before', '', 'prompt'], usual]);
  });

  it('of a program that changed how a terminal draws and types, nothing stays', async () => {
    const { lines, state } = await after(
      '\x1b[4h\x1b[?1h\x1b=\x1b[?7l\x1b[?25l\x1b[?5h\x1b(0\x1b[3;6r\x1b[3;1Hlow',
    );
    expect([lines.includes('low'), lines.at(-1), state]).toEqual([true, 'prompt', usual]);
  });
});
