/** Flags of one of the operator's commands, by yargs. */
import yargs, { type Options } from 'yargs';
import { GatewayError } from '../errors.ts';
import type { Terminal } from './run-cli.ts';

export interface FlagsOfCommand<Flags> {
  /** `postern serve`. */
  readonly name: string;
  /** What stands behind the name, and below. */
  readonly usage: string;
  readonly flags: Flags;
  /** Words that are no flags; as a rule none. */
  readonly maxWords?: number;
}

/** Lines of one paragraph joined, for yargs to break; what is indented stays a line. */
const asParagraphs = (text: string) => text.replace(/(?<=[^\n])\n(?=\S)/g, ' ');

/** The flags, and the other words; undefined when help was wanted: it is printed then. Throws usage. */
export async function parseFlags<Flags extends Readonly<Record<string, Options>>>(
  args: readonly string[],
  { name, usage, flags, maxWords = 0 }: FlagsOfCommand<Flags>,
  terminal: Terminal,
) {
  let help: string | undefined;
  const misused = (problem: string) =>
    new GatewayError('usage', { problem: `${problem}; "${name} --help" lists the flags.` });
  const parsed = await yargs([...args])
    .scriptName(name)
    .usage(`Usage: $0 ${asParagraphs(usage)}`)
    .options(flags)
    .help()
    .version(false)
    .strictOptions()
    .exitProcess(false)
    .parserConfiguration({
      'duplicate-arguments-array': false,
      'camel-case-expansion': false,
      'parse-positional-numbers': false,
    })
    .wrap(100)
    .fail((message, error) => {
      throw misused(message ?? error.message);
    })
    .parse([...args], {}, (_error: unknown, _argv: unknown, output: string) => {
      help = output || undefined;
    });
  const words = parsed._.map(String);
  // Not repeated in the error: it may be half of a token.
  if (help === undefined && words.length > maxWords) throw misused('Too many words');
  if (help === undefined) return { flags: parsed, words };
  terminal.stdout.write(`${help}\n`);
  return undefined;
}
