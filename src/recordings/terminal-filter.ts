/**
 * What of a recorded output may reach the terminal of whoever plays it back: text, and sequences that draw. Whatever makes a
 * terminal answer, report, print, set its title, its clipboard or anything that outlasts the playback does not (ECMA-48,
 * xterm's ctlseqs). What is not known to draw is left out.
 */

/** `play`: what draws is kept; `text`: no sequence at all. */
export type FilterKind = 'play' | 'text';

/** Takes the output piece by piece: a sequence may be split anywhere. */
export type TerminalFilter = (text: string) => string;

type State = 'ground' | 'escape' | 'escape-intermediate' | 'csi' | 'string' | 'string-escape';

const maxSequence = 256;
/** A string that never ends would hide what follows it: so much at most is taken for one. */
const maxString = 64 * 1024;

const esc = '\x1b';
/** 8-bit C1 controls and the letters that follow an ESC in their 7-bit forms. */
const stringIntroducers = new Set(['P', 'X', ']', '^', '_']);
const keptControls = new Set(['\b', '\t', '\n', '\v', '\f', '\r', '\x0e', '\x0f']);
const textControls = new Set(['\t', '\n']);
/** DECSC, DECRC, IND, NEL, HTS, RI, DECPAM, DECPNM, RIS. */
const keptEscapes = new Set(['7', '8', 'D', 'E', 'H', 'M', '=', '>', 'c']);

/** Modes of the terminal that only change how it draws. Mouse, focus and paste reports are none of them. */
const keptModes = new Set([
  '4',
  '20',
  '?1',
  '?5',
  '?6',
  '?7',
  '?12',
  '?25',
  '?47',
  '?1047',
  '?1048',
  '?1049',
  '?2026',
]);

/** By final byte: whether these parameters only draw. */
const plainParameters = (parameters: string) => /^[\d;:]*$/.test(parameters);
const drawing = new Map<string, (parameters: string, intermediates: string) => boolean>([
  ...[...'@ABCDEFGHIJKLMPSXZ`abdefgmrsu'].map(
    (final) =>
      [
        final,
        (parameters: string, intermediates: string) => intermediates === '' && plainParameters(parameters),
      ] as const,
  ),
  // With more parameters it begins to track the mouse.
  ['T', (parameters, intermediates) => intermediates === '' && /^\d*$/.test(parameters)],
  ['h', isKeptMode],
  ['l', isKeptMode],
  // The cursor's shape, and a soft reset.
  ['q', (parameters, intermediates) => intermediates === ' ' && plainParameters(parameters)],
  ['p', (parameters, intermediates) => intermediates === '!' && parameters === ''],
]);

function isKeptMode(parameters: string, intermediates: string): boolean {
  const [, mark = '', modes = ''] = /^(\??)([\d;]*)$/.exec(parameters) ?? [];
  return intermediates === '' && modes !== '' && modes.split(';').every((mode) => keptModes.has(mark + mode));
}

export function createTerminalFilter(kind: FilterKind): TerminalFilter {
  let state: State = 'ground';
  /** Of the sequence under way. */
  let sequence = '';
  let length = 0;

  const enter = (next: State) => {
    state = next;
    sequence = '';
    length = 0;
    return '';
  };
  const kept = (text: string) => {
    enter('ground');
    return kind === 'play' ? text : '';
  };

  const ground = (character: string): string => {
    const code = character.charCodeAt(0);
    if (character === esc) return enter('escape');
    if (code >= 0x80 && code <= 0x9f) return inEscape(String.fromCharCode(code - 0x40));
    if (code < 0x20 || code === 0x7f) {
      return (kind === 'play' ? keptControls : textControls).has(character) ? character : '';
    }
    return character;
  };

  const inEscape = (character: string): string => {
    if (character === '[') return enter('csi');
    if (stringIntroducers.has(character)) return enter('string');
    if (/[\x20-\x2f]/.test(character)) {
      enter('escape-intermediate');
      sequence = character;
      return '';
    }
    return keptEscapes.has(character) ? kept(esc + character) : enter('ground');
  };

  /** Character sets, and DEC's line sizes. */
  const inIntermediate = (character: string): string => {
    if (/[\x20-\x2f]/.test(character)) {
      sequence = (sequence + character).slice(0, 3);
      return '';
    }
    const draws = /^[()*+\-./#]$/.test(sequence) && /[\x30-\x7e]/.test(character);
    return draws ? kept(esc + sequence + character) : enter('ground');
  };

  const inCsi = (character: string): string => {
    if (character < '\x20') return keptControls.has(character) ? character : '';
    if (character > '\x7e') return enter('ground');
    if (character < '\x40') {
      length++;
      if (length <= maxSequence) sequence += character;
      return '';
    }
    const [, parameters = '', intermediates] = /^([\x30-\x3f]*)([\x20-\x2f]*)$/.exec(sequence) ?? [];
    const draws =
      length <= maxSequence &&
      intermediates !== undefined &&
      drawing.get(character)?.(parameters, intermediates) === true;
    return draws ? kept(`${esc}[${sequence}${character}`) : enter('ground');
  };

  const inString = (character: string): string => {
    length++;
    const isOver = character === '\x07' || character === '\x9c' || length > maxString;
    if (isOver) return enter('ground');
    if (character === esc) state = 'string-escape';
    return '';
  };

  /** ESC ends a string, whatever it begins then. */
  const afterString = (character: string): string =>
    character === '\\' ? enter('ground') : inEscape(character);

  const steps: Readonly<Record<State, (character: string) => string>> = {
    ground,
    escape: inEscape,
    'escape-intermediate': inIntermediate,
    csi: inCsi,
    string: inString,
    'string-escape': afterString,
  };

  return (text) => {
    let shown = '';
    for (const character of text) {
      const cancels = character === '\x18' || character === '\x1a';
      const restarts = character === esc && state !== 'string';
      if (cancels) enter('ground');
      else if (restarts) enter('escape');
      else shown += steps[state](character);
    }
    return shown;
  };
}
