/** Terminal modes of RFC 4254 §8 as words for stty(1), which is how they can be set inside a container. */

const flags = new Map([
  [30, 'ignpar'],
  [31, 'parmrk'],
  [32, 'inpck'],
  [33, 'istrip'],
  [34, 'inlcr'],
  [35, 'igncr'],
  [36, 'icrnl'],
  [38, 'ixon'],
  [39, 'ixany'],
  [40, 'ixoff'],
  [41, 'imaxbel'],
  [42, 'iutf8'],
  [50, 'isig'],
  [51, 'icanon'],
  [53, 'echo'],
  [54, 'echoe'],
  [55, 'echok'],
  [56, 'echonl'],
  [57, 'noflsh'],
  [58, 'tostop'],
  [59, 'iexten'],
  [60, 'echoctl'],
  [61, 'echoke'],
  [70, 'opost'],
  [72, 'onlcr'],
  [73, 'ocrnl'],
  [74, 'onocr'],
  [75, 'onlret'],
]);

const characters = new Map([
  [1, 'intr'],
  [2, 'quit'],
  [3, 'erase'],
  [4, 'kill'],
  [5, 'eof'],
  [6, 'eol'],
  [7, 'eol2'],
  [8, 'start'],
  [9, 'stop'],
  [10, 'susp'],
  [12, 'rprnt'],
  [13, 'werase'],
  [14, 'lnext'],
]);

/** Words that GNU's and busybox's stty both take; modes without one are left out. */
export function sttyWords(modes: ReadonlyMap<number, number>): readonly string[] {
  const words: string[] = [];
  for (const [opcode, value] of modes) {
    const flag = flags.get(opcode);
    if (flag) words.push(value === 0 ? `-${flag}` : flag);
    const name = characters.get(opcode);
    const character = name && sttyCharacter(value);
    if (name && character) words.push(name, character);
  }
  return words;
}

/** Only control characters and "none": a digit alone would be read as itself by one stty, as a number by another. */
function sttyCharacter(value: number): string | undefined {
  if (value === 255) return '^-';
  if (value === 127) return '^?';
  return value > 0 && value < 32 ? `^${String.fromCharCode(value + 64)}` : undefined;
}
