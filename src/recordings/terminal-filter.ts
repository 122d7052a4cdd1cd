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

/** Where a filter stands in the output. */
interface Reading {
  readonly kind: FilterKind;
  state: State;
  /** Of the sequence under way. */
  sequence: string;
  length: number;
}

export function createTerminalFilter(kind: FilterKind): TerminalFilter {
  const reading: Reading = { kind, state: 'ground', sequence: '', length: 0 };
  return (text) => {
    let shown = '';
    for (const character of text) {
      const cancels = character === '\x18' || character === '\x1a';
      const restarts = character === esc && reading.state !== 'string';
      if (cancels) enter(reading, 'ground');
      else if (restarts) enter(reading, 'escape');
      else shown += steps[reading.state](reading, character);
    }
    return shown;
  };
}

function enter(reading: Reading, next: State): string {
  reading.state = next;
  reading.sequence = '';
  reading.length = 0;
  return '';
}

function keep(reading: Reading, text: string): string {
  enter(reading, 'ground');
  return reading.kind === 'play' ? text : '';
}

/** What one more character comes to: what of it is shown. */
type Step = (reading: Reading, character: string) => string;

const ground: Step = (reading, character) => {
  const code = character.charCodeAt(0);
  if (character === esc) return enter(reading, 'escape');
  if (code >= 0x80 && code <= 0x9f) return inEscape(reading, String.fromCharCode(code - 0x40));
  if (code < 0x20 || code === 0x7f) {
    return (reading.kind === 'play' ? keptControls : textControls).has(character) ? character : '';
  }
  return character;
};

const inEscape: Step = (reading, character) => {
  if (character === '[') return enter(reading, 'csi');
  if (stringIntroducers.has(character)) return enter(reading, 'string');
  if (/[\x20-\x2f]/.test(character)) {
    enter(reading, 'escape-intermediate');
    reading.sequence = character;
    return '';
  }
  return keptEscapes.has(character) ? keep(reading, esc + character) : enter(reading, 'ground');
};

/** Character sets, and DEC's line sizes. */
const inIntermediate: Step = (reading, character) => {
  const { sequence } = reading;
  if (/[\x20-\x2f]/.test(character)) {
    reading.sequence = (sequence + character).slice(0, 3);
    return '';
  }
  const draws = /^[()*+\-./#]$/.test(sequence) && /[\x30-\x7e]/.test(character);
  return draws ? keep(reading, esc + sequence + character) : enter(reading, 'ground');
};

const inCsi: Step = (reading, character) => {
  if (character < '\x20') return keptControls.has(character) ? character : '';
  if (character > '\x7e') return enter(reading, 'ground');
  if (character < '\x40') {
    reading.length++;
    if (reading.length <= maxSequence) reading.sequence += character;
    return '';
  }
  const { sequence, length } = reading;
  const [, parameters = '', intermediates] = /^([\x30-\x3f]*)([\x20-\x2f]*)$/.exec(sequence) ?? [];
  const draws =
    length <= maxSequence &&
    intermediates !== undefined &&
    drawing.get(character)?.(parameters, intermediates) === true;
  return draws ? keep(reading, `${esc}[${sequence}${character}`) : enter(reading, 'ground');
};

const inString: Step = (reading, character) => {
  reading.length++;
  const isOver = character === '\x07' || character === '\x9c' || reading.length > maxString;
  if (isOver) return enter(reading, 'ground');
  if (character === esc) reading.state = 'string-escape';
  return '';
};

/** ESC ends a string, whatever it begins then. */
const afterString: Step = (reading, character) =>
  character === '\\' ? enter(reading, 'ground') : inEscape(reading, character);

const steps: Readonly<Record<State, Step>> = {
  ground,
  escape: inEscape,
  'escape-intermediate': inIntermediate,
  csi: inCsi,
  string: inString,
  'string-escape': afterString,
};
