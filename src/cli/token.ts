/** `postern token`: what can be done with tokens without a gateway. */
import { GatewayError } from '../errors.ts';
import { inspectToken } from './inspect-token.ts';
import type { CliCommand } from './run-cli.ts';
import { signToken } from './sign-token.ts';

const usage = `Usage: postern token inspect [TOKEN] [--json]
       postern token sign --key FILE --domain DOMAIN [FLAGS]

Neither needs a gateway. "postern token inspect --help" and "postern token sign --help" explain each.
`;

const commands: ReadonlyMap<string, CliCommand> = new Map([
  ['inspect', inspectToken],
  ['sign', signToken],
]);

export const token: CliCommand = async ([word, ...args], terminal) => {
  const command = commands.get(word ?? '');
  if (command) return command(args, terminal);
  if (word !== '--help' && word !== '-h') {
    throw new GatewayError('usage', { problem: 'name one of: postern token inspect, postern token sign.' });
  }
  terminal.stdout.write(usage);
  return 0;
};
