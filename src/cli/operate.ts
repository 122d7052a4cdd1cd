/** Sends one command line to the running gateway's control socket and prints what comes back. */
import { callGateway, tell } from './call-gateway.ts';
import { readStdin } from './read-stdin.ts';
import type { CliCommand } from './run-cli.ts';

export const operate: CliCommand = async (args, terminal) => {
  const { words, dataDir } = takeDataFlag(args, terminal.env['POSTERN_DATA_DIR'] ?? './data');
  const stdin = takesStdin(words) && !terminal.stdin.isTTY ? await readStdin(terminal) : '';
  const { response } = await callGateway(dataDir, { line: words.map(quote).join(' '), stdin });
  return tell(response, terminal);
};

/** What they are to add stands in their words, but for host keys, if these say so. */
const takeWordsAlone: ReadonlySet<string> = new Set(['host', 'engine', 'share']);

/** Reading the stdin of a command that takes none could wait for ever, in a script whose stdin stays open. */
const takesStdin = ([first = '', second, ...rest]: readonly string[]) =>
  second === 'add-key' ||
  (second === 'add' && (!takeWordsAlone.has(first) || rest.some((word) => /^(--host-key=)?-$/.test(word))));

function takeDataFlag(args: readonly string[], fallback: string): { words: string[]; dataDir: string } {
  const words: string[] = [];
  let dataDir = fallback;
  for (let index = 0; index < args.length; index++) {
    const word = args[index] as string;
    if (word.startsWith('--data=')) dataDir = word.slice('--data='.length);
    else if (word === '--data' && args[index + 1] !== undefined) dataDir = args[++index] as string;
    else words.push(word);
  }
  return { words, dataDir };
}

/** As the lobby's line syntax reads it back: nothing is special in single quotes but the quote itself. */
const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
