/** The operator's commands: `serve` here, everything else over the control socket of a running gateway. */
import { isGatewayError } from '../errors.ts';
import { systemSentence } from '../platform/system-reason.ts';
import { version } from '../platform/version.ts';
import { audit } from './audit.ts';
import { backup } from './backup.ts';
import { migrate } from './migrate.ts';
import { operate } from './operate.ts';
import { restore } from './restore.ts';
import { serve } from './serve.ts';
import { supervise } from './supervise.ts';
import { token } from './token.ts';
import { usage, usageOf } from './usage.ts';
import { work } from './work.ts';

export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export type CliCommand = (args: readonly string[], terminal: Terminal) => Promise<number>;

const print =
  (text: string): CliCommand =>
  async (_args, { stdout }) => {
    stdout.write(text);
    return 0;
  };

/** The lobby's commands bring their own help; `help` alone, and the operator's own, say here what they are. */
const operateOrHelp: CliCommand = async (words, terminal) => {
  const [first = '', ...rest] = words;
  const help = rest.some((word) => word === '--help' || word === '-h') ? usageOf.get(first) : undefined;
  if (help === undefined && words.join(' ') !== 'help') return operate(words, terminal);
  terminal.stdout.write(help ?? usage);
  return 0;
};

const commands: ReadonlyMap<string, CliCommand> = new Map<string, CliCommand>([
  ['serve', serve],
  ['supervise', supervise],
  ['work', work],
  ['token', token],
  ['audit', audit],
  ['backup', backup],
  ['restore', restore],
  ['migrate', migrate],
  ['version', print(`postern ${version}\n`)],
  ['--version', print(`postern ${version}\n`)],
  ['--help', print(usage)],
  ['-h', print(usage)],
  ...[
    'hostkey',
    'reload',
    'restart',
    'help',
    'account',
    'invite',
    'ca',
    'session',
    'recording',
    'penalty',
    'ssh-key',
    'mfa',
    'share',
    'tag',
    'ls',
    'host',
    'engine',
    'ssh-config',
  ].map((word): [string, CliCommand] => [word, (args, terminal) => operateOrHelp([word, ...args], terminal)]),
]);

/** `--data DIR` may stand in front of a command too. */
function dataFlagLast(argv: readonly string[]): readonly string[] {
  const flagWords = argv[0] === '--data' ? 2 : argv[0]?.startsWith('--data=') ? 1 : 0;
  const command = argv[flagWords];
  if (flagWords === 0 || command === undefined || !commands.has(command)) return argv;
  return [...argv.slice(flagWords), ...argv.slice(0, flagWords)];
}

/** Resolves to the exit status. Every failure has been told on stderr by then. */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [first = 'serve', ...rest] = dataFlagLast(argv);
  const named = commands.get(first);
  const [command, args] = named ? [named, rest] : first.startsWith('-') ? [serve, argv] : [undefined, []];
  if (!command) {
    terminal.stderr.write(`postern: there is no command "${first}"; "postern --help" lists them.\n`);
    return 2;
  }
  try {
    return await command(args, terminal);
  } catch (error) {
    terminal.stderr.write(`postern: ${systemSentence(error) ?? (error as Error).message}\n`);
    return isGatewayError(error) ? error.exitStatus : 1;
  }
}
