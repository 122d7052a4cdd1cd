/** What brings a terminal back to what it was before a playback, as far as the filter let it be changed. */

export interface TerminalReset {
  /** What was shown, in whole sequences. */
  saw(shown: string): void;
  /** Leaves the cursor where a prompt hides nothing of what was shown. */
  sequence(): string;
}

const alternateScreens = new Set(['47', '1047', '1049']);
const originMode = '6';

/**
 * Modes by themselves, for not every terminal knows DECSTR: synchronized output, insert, line feed, cursor keys, reverse,
 * wrapping, keypad; tab stops, the cursor and its shape, colours, character set.
 */
const modes =
  '\x1b[?2026l\x1b[4l\x1b[20l\x1b[?1l\x1b[?5l\x1b[?7h\x1b>\x1b[?5W\x1b[?25h\x1b[0 q\x1b[m\x1b(B\x0f';
/** Both move the cursor to the first line, over what is there. */
const wholeScreen = '\x1b[?6l\x1b[r\x1b[999;1H';

export function createTerminalReset(): TerminalReset {
  let alternate: string | undefined;
  let hasMargins = false;
  const setMode = (mode: string, isSet: boolean) => {
    if (alternateScreens.has(mode)) alternate = isSet ? mode : undefined;
    if (mode === originMode && isSet) hasMargins = true;
  };
  return {
    saw(shown) {
      for (const [, set, how, margins] of shown.matchAll(/\x1b\[(?:\?([\d;]+)([hl])|([\d;]*)r)/g)) {
        for (const mode of set?.split(';') ?? []) setMode(mode, how === 'h');
        if (margins) hasMargins = true;
      }
    },
    // Leaving a screen that was not entered would move the cursor, too.
    sequence: () =>
      `${modes}${hasMargins ? wholeScreen : ''}${alternate === undefined ? '' : `\x1b[?${alternate}l`}\r\n`,
  };
}
