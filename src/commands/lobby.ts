/** The lobby: the session of whoever named no target. Its only programs are the gateway's own commands. */
import type { Logger } from 'pino';
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import { forceCommand } from '../sessions/force-command.ts';
import { toGatewayError } from '../sessions/run-session.ts';
import type { SessionContext, SessionEnd, SessionHandler } from '../sessions/session.ts';
import type { CommandServices } from './command.ts';
import { loadCommands } from './interpreter/load-commands.ts';
import { type LineRun, runLine } from './interpreter/run-line.ts';
import { createOutput } from './interpreter/write-text.ts';
import { keyHint, meantFiles, meantTarget, targetHint } from './lobby-hints.ts';
import { runPrompt } from './prompt/prompt.ts';
import { runScript } from './script.ts';

type LobbyRun = Omit<LineRun, 'stdinIsTaken'>;

/** A handler for sessions in the lobby. Throws when the commands' files contradict one another. */
export async function createLobby(services: CommandServices, log: Logger): Promise<SessionHandler> {
  const commands = await loadCommands();
  return async (request, io, session) => {
    const hint = hintFor(services, session);
    const run: LobbyRun = { services, commands, log, session, request, io, hint };
    try {
      return await begin(run);
    } catch (error) {
      const failure = toGatewayError(error, log, session);
      await createOutput(io, request).complain(failure.message);
      return { exitStatus: failure.exitStatus };
    }
  };
}

async function begin(run: LobbyRun): Promise<SessionEnd> {
  const { request, services, session } = run;
  const { key } = await services.authorizer.principal(session.identity);
  if (request.pty && key.restrictions.noPty) throw new GatewayError('pty-refused', {});
  const forced = key.restrictions.command;
  if (forced !== undefined) return runExec(forced, { ...run, request: forceCommand(request, forced) });
  const { start } = request;
  if (start.kind === 'exec') return runExec(start.command.toWellFormed(), run);
  if (start.kind === 'subsystem') throw refusedSubsystem(start.name);
  return runShell(run);
}

function runExec(line: string, run: LobbyRun): Promise<SessionEnd> {
  if (meantFiles(line)) throw new GatewayError('lobby-no-files', {});
  return runLine(line, { ...run, stdinIsTaken: run.request.pty !== undefined });
}

const refusedSubsystem = (name: string) =>
  name === 'sftp'
    ? new GatewayError('lobby-no-files', {})
    : new GatewayError('unknown-subsystem', { subsystem: excerpt(name) });

async function runShell(run: LobbyRun): Promise<SessionEnd> {
  const { services, session, request } = run;
  // A client shows what comes by two streams in whatever order; on a terminal, complaints stand where they belong.
  const io = request.pty ? { ...run.io, stderr: run.io.stdout } : run.io;
  if (meantTarget(session.loginName, services.config)) {
    await createOutput(io, request).complain(targetHint(services.config, services.endpoint()));
  }
  // Whoever sits at the prompt has read it once.
  return request.pty ? runPrompt({ ...run, io, hint: keyHint }, request.pty) : runScript(run);
}

function hintFor({ config, endpoint }: CommandServices, { loginName }: SessionContext) {
  const lost = meantTarget(loginName, config);
  return (firstWord: string) => keyHint(firstWord) ?? (lost ? targetHint(config, endpoint()) : undefined);
}
