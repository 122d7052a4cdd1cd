/** The operator's commands: `serve` here, everything else over the control socket of a running gateway. */
import { isGatewayError } from '../errors.ts';
import { version } from '../platform/version.ts';
import { audit } from './audit.ts';
import { backup } from './backup.ts';
import { migrate } from './migrate.ts';
import { operate } from './operate.ts';
import { restore } from './restore.ts';
import { serve } from './serve.ts';
import { supervise } from './supervise.ts';
import { token } from './token.ts';
import { work } from './work.ts';

export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export type CliCommand = (args: readonly string[], terminal: Terminal) => Promise<number>;

const usage = `Usage: postern [COMMAND] [FLAGS]

  postern [serve] [FLAGS]      run the gateway (the default); "postern serve --help" lists the flags
  postern backup FILE [--encrypt-to SSH-KEY]
                               copy what a running gateway is to FILE: store, host keys, egress key, identities
  postern restore FILE         make a gateway what FILE says, whether it runs or not
  postern migrate --from DIR --to postgres://…
                               all rows into a database, or back; the gateways are stopped
  postern reload               read a running gateway's configuration and host keys anew, as SIGHUP does;
                               nobody is disconnected, and a file with a mistake changes nothing
  postern restart [--timeout=SECONDS]
                               start the installed version with the configuration as it is now, in place of what
                               runs; nobody is disconnected: what is open stays with the old processes, with
                               --timeout for so long, after which they end it with a sentence
  postern hostkey rotate [--finish]
                               make the next host keys and announce them beside those in use;
                               some weeks later, with --finish, put them in use
  postern audit verify         whether the audit in DATA/audit is whole; also without a gateway
  postern account|audit|recording|invite|ca|session|penalty|ssh-key|mfa|share|tag|ls|host|engine|ssh-config …
                               the lobby's commands, as the operator of this machine, on the running
                               gateway; "ssh GATEWAY help CMD" explains each. Recover a lost admin key with
                               "postern account add-key NAME < key.pub", a lost phone with
                               "postern mfa reset NAME"
  postern token sign|inspect … a token by a key of yours, without a gateway; what stands in one
  postern version              print the version

  --data DIR                   the running gateway's data folder (default ./data)
`;

const print =
  (text: string): CliCommand =>
  async (_args, { stdout }) => {
    stdout.write(text);
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
  ].map((word): [string, CliCommand] => [word, (args, terminal) => operate([word, ...args], terminal)]),
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
    terminal.stderr.write(`postern: ${(error as Error).message}\n`);
    return isGatewayError(error) ? error.exitStatus : 1;
  }
}
