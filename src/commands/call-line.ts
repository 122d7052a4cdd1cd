/** One line for a program that has no streams but wants the answer: what `ssh GATEWAY LINE --json` prints. */
import type { Logger } from 'pino';
import { forceCommand } from '../sessions/force-command.ts';
import type { SessionContext, SessionIo, SessionRequest } from '../sessions/session.ts';
import type { Command, CommandServices } from './command.ts';
import { loadCommands } from './interpreter/load-commands.ts';
import { answerLine, type LineOutcome } from './interpreter/run-line.ts';

export interface LineCall {
  readonly line: string;
  readonly session: SessionContext;
  /** What a session in a target is run with, should the line be `ssh TARGET …`. */
  readonly io: SessionIo;
  /** The command was found and may be run; it is about to be. */
  readonly onCommand: (command: Command) => void;
}

/** Never rejects. */
export type CallLine = (call: LineCall) => Promise<LineOutcome>;

/** Throws when the commands' files contradict one another. */
export async function createCallLine(services: CommandServices, log: Logger): Promise<CallLine> {
  const commands = await loadCommands();
  return async ({ line, session, io, onCommand }) => {
    const asked: SessionRequest = { start: { kind: 'exec', command: line }, env: new Map() };
    const key = await services.store.get('keys', session.identity.keyId);
    const forced = key?.restrictions.command;
    const request = forced === undefined ? asked : forceCommand(asked, forced);
    const run = { services, commands, log, session, request, io, onCommand };
    return answerLine(forced ?? line, { ...run, json: true, stdinIsTaken: false });
  };
}
