import { GatewayError } from '../../errors.ts';
import type { Arguments, Command, CommandContext, CommandResult } from '../command.ts';
import { nameOf } from './load-commands.ts';
import { checkMayRun } from './may-run.ts';

/**
 * Runs a command that takes its time, and ends it, by `io.closed`, when whoever began it may run it no more. Throws what it throws, and
 * session-ended where it had not come to an answer by then.
 */
export async function runLong(
  command: Command,
  args: Arguments,
  context: CommandContext,
): Promise<CommandResult> {
  const { authorizer, connections, session, io } = context;
  const ending = new AbortController();
  let ended: GatewayError | undefined;
  const closed = AbortSignal.any([io.closed, ending.signal]);
  const now = async (): Promise<CommandContext> => {
    const principal = await authorizer.principal(session.identity);
    checkMayRun(command, principal);
    return { ...context, principal, io: { ...io, closed } };
  };
  const remove = connections.addCommand({
    async recheck() {
      const checked = await now();
      await command.recheck?.(args, checked);
    },
    end() {
      ended ??= new GatewayError('session-ended', { reason: `you may no longer run "${nameOf(command)}".` });
      io.tell?.({ sentence: ended.message, failure: ended });
      ending.abort();
    },
  });
  try {
    // Who it is decided by was read when nobody would have ended it yet.
    const result = await command.run(args, await now());
    if (ended && 'end' in result) throw ended;
    return result;
  } catch (error) {
    throw ended ?? error;
  } finally {
    remove();
  }
}
