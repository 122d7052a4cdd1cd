import { describe, expect, it } from 'vitest';
import type { CastEvent } from '../../../src/recordings/asciicast.ts';
import { playRecording } from '../../../src/recordings/play-recording.ts';
import { readEvents } from '../../../src/recordings/read-events.ts';

const recordedSize = { columns: 80, rows: 24 };

function watch(size = recordedSize) {
  let shown = '';
  let press: (key: string) => void = () => {};
  const closing = new AbortController();
  const terminal = {
    size,
    closed: closing.signal,
    write: async (text: string) => {
      shown += text;
    },
    onKey: (listener: (key: string) => void) => {
      press = listener;
      return () => {
        press = () => {};
      };
    },
  };
  return {
    terminal,
    shown: () => shown,
    press: (key: string) => press(key),
    vanish: () => closing.abort(),
    saw: (text: string) => expect.poll(() => shown).toContain(text),
  };
}

async function* events(...list: readonly (readonly [number, string, string])[]): AsyncGenerator<CastEvent> {
  for (const [seconds, code, text] of list) yield { seconds, code, text };
}

const usual = { speed: 1, idleLimitS: undefined, recordedSize };
/** Nobody waits for it. */
const hour = 3_600;

describe('playing a recording', () => {
  it('shows what was there, without what drives a terminal, and leaves the terminal as it was', async () => {
    const viewer = watch();
    const list = events([0, 'o', 'one \x1b]0;ti'], [0, 'o', 'tle\x07two'], [0, 'i', 'typed'], [0, 'x', '{}']);
    expect(await playRecording(list, viewer.terminal, usual)).toBe(true);
    expect(viewer.shown()).toMatch(/^one two\x1b\[\?2026l/);
    expect(viewer.shown()).not.toContain('typed');
  });

  it('keeps the pace, as many times as fast as is asked, and no pause is longer than is asked', async () => {
    const viewer = watch();
    const beganMs = performance.now();
    await playRecording(events([0.4, 'o', 'a'], [0.8, 'o', 'b']), viewer.terminal, { ...usual, speed: 2 });
    expect(performance.now() - beganMs).toBeGreaterThan(300);
    await playRecording(events([hour, 'o', 'c']), viewer.terminal, { ...usual, idleLimitS: 0.05 });
    await playRecording(events([hour, 'o', 'd']), viewer.terminal, { ...usual, speed: 64, idleLimitS: 1 });
    expect(viewer.shown().replaceAll(/\x1b\S*|\s/g, '')).toContain('d');
  });

  it('space pauses, "." steps, and space goes on', async () => {
    const viewer = watch();
    const playing = playRecording(
      events([0, 'o', 'first'], [hour, 'o', 'second'], [2 * hour, 'o', 'third'], [2 * hour, 'o', 'last']),
      viewer.terminal,
      usual,
    );
    await viewer.saw('first');
    viewer.press('.');
    viewer.press(' ');
    viewer.press('.');
    await viewer.saw('second');
    expect(viewer.shown()).not.toContain('third');
    viewer.press('.');
    await viewer.saw('third');
    viewer.press(' ');
    await viewer.saw('last');
    expect(await playing).toBe(true);
  });

  it('+ makes it faster while it waits, - slower', async () => {
    const viewer = watch();
    const playing = playRecording(events([0, 'o', 'a'], [8, 'o', 'z']), viewer.terminal, usual);
    await viewer.saw('a');
    for (let n = 0; n < 6; n++) viewer.press('-');
    for (let n = 0; n < 12; n++) viewer.press('+');
    expect(await playing).toBe(true);
  });

  it.each(['q', '\x03', '\x04'])('%j leaves', async (key) => {
    const viewer = watch();
    const playing = playRecording(events([0, 'o', 'a'], [hour, 'o', 'z']), viewer.terminal, usual);
    await viewer.saw('a');
    viewer.press(key);
    expect(await playing).toBe(false);
    expect(viewer.shown()).not.toContain('z\x1b');
  });

  it('ends when nobody watches any more', async () => {
    const viewer = watch();
    const playing = playRecording(events([hour, 'o', 'z']), viewer.terminal, usual);
    viewer.vanish();
    expect(await playing).toBe(false);
  });

  it('says so where the terminal is smaller than the recorded one, and when that one changes', async () => {
    const viewer = watch({ columns: 40, rows: 10 });
    await playRecording(events([0, 'r', '100x30\x1b[6n']), viewer.terminal, usual);
    expect(viewer.shown()).toContain('recorded at 80x24; this terminal has 40x10');
    expect(viewer.shown()).toContain('the terminal becomes 100x30');
    expect(viewer.shown()).not.toContain('\x1b[6n');
  });
});

it('reading: lines that are no events are left out, wherever the file is cut', async () => {
  const file = Buffer.from('{"no":"header"}\n[0,"o","ä"]\n\n[1,"o","b"]\nnonsense\n[2,"o","cut');
  for (let cut = 0; cut < file.length; cut++) {
    const found: string[] = [];
    async function* chunks() {
      yield file.subarray(0, cut);
      yield file.subarray(cut);
    }
    for await (const read of readEvents(chunks())) if ('event' in read) found.push(read.event.text);
    expect(found).toEqual(['ä', 'b']);
  }
});
