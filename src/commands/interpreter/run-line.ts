/**
 * The interpreter: one line, whatever door it came through, becomes one command, one permission check, one
 * result. stdout carries only the answer; a failure is one sentence on stderr, and with --json an object
 * on stdout as well.
 */
import type { Logger } from 'pino';
import type { Principal } from '../../auth/authorizer.ts';
import { GatewayError } from '../../errors.ts';
import { excerpt } from '../../platform/excerpt.ts';
import { printable } from '../../platform/printable.ts';
import { toGatewayError } from '../../sessions/run-session.ts';
import type { SessionContext, SessionEnd, SessionIo, SessionRequest } from '../../sessions/session.ts';
import type { Command, CommandContext, CommandServices, Text } from '../command.ts';
import { type FoundGroup, findCommand } from './find-command.ts';
import { helpData, helpOf, listOf } from './help-text.ts';
import { nameOf } from './load-commands.ts';
import { maskSecrets } from './mask.ts';
import { checkMayRun, checkMayStillRun, checkTokenAllowsHelp, isFor } from './may-run.ts';
import { parseArguments, usageError } from './parse-arguments.ts';
import { beginsPrivateKey } from './private-key-guard.ts';
import { readAll } from './read-stdin.ts';
import { runLong } from './run-long.ts';
import { splitWords } from './words.ts';
import { createOutput, createProgress, type Output, printableLines, toJson } from './write-text.ts';

/** Where a line is run. */
export interface LineRun {
  readonly services: CommandServices;
  readonly commands: readonly Command[];
  readonly log: Logger;
  readonly session: SessionContext;
  readonly request: SessionRequest;
  readonly io: SessionIo;
  /** Stdin is a person's terminal, or holds further lines: no command may read it to its end. */
  readonly stdinIsTaken: boolean;
  /** As if --json had been given. */
  readonly json?: boolean;
  /** Follows "there is no such command". */
  readonly hint?: (firstWord: string) => string | undefined;
  /** `exit` was run. */
  readonly leave?: () => void;
  /** The command that was found and may be run, before it is. */
  readonly onCommand?: (command: Command) => void;
}

/** What a line came to, for whoever renders it otherwise than `runLine` does. */
export type LineOutcome =
  | {
      readonly kind: 'answer';
      readonly data: unknown;
      readonly text: Text;
      readonly notice?: string;
      readonly exitStatus: number;
    }
  /** A session of its own, which has written what it had to say. */
  | { readonly kind: 'end'; readonly end: SessionEnd }
  /** The line names no command. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'failure'; readonly failure: GatewayError };

interface Progress {
  json: boolean;
  principal?: Principal;
  command?: Command;
}

/** Runs one line to its end, and writes what it came to. Never rejects. An empty line does nothing, with status 0. */
export async function runLine(line: string, run: LineRun): Promise<SessionEnd> {
  const output = createOutput(run.io, run.request);
  const progress: Progress = { json: run.json ?? false };
  const outcome = await answerLine(line, run, progress);
  return renderers[outcome.kind](outcome as never, output, progress);
}

type Outcome<Kind extends LineOutcome['kind']> = Extract<LineOutcome, { kind: Kind }>;

const renderers: {
  [Kind in LineOutcome['kind']]: (
    outcome: Outcome<Kind>,
    output: Output,
    progress: Progress,
  ) => Promise<SessionEnd>;
} = {
  nothing: async () => ({ exitStatus: 0 }),
  end: async ({ end }) => end,
  answer: async ({ data, text, notice, exitStatus }, output, { json }) => {
    if (notice !== undefined && !json) await output.complain(notice);
    const answer = json ? toJson(data) : printableLines(typeof text === 'string' ? text : text());
    if (answer !== '') await output.answer(answer);
    return { exitStatus };
  },
  failure: async ({ failure }, output, { json, command }) => {
    const sentence = sentenceOf(failure);
    await output.complain(sentence);
    if (json) await output.answer(toJson({ error: printable(sentence), code: failure.code }));
    return { exitStatus: statusOf(failure, command) };
  },
};

/** Runs one line to its end; an answer is returned, not written. Never rejects. */
export async function answerLine(
  line: string,
  run: LineRun,
  progress: Progress = { json: run.json ?? false },
): Promise<LineOutcome> {
  const outcome = await interpret(line, run, progress).catch((error: unknown): LineOutcome => {
    return { kind: 'failure', failure: toGatewayError(error, run.log, run.session) };
  });
  note(line, run, progress, outcome);
  return outcome;
}

/** What may be shown of a failure. */
export const sentenceOf = ({ message }: GatewayError) => excerpt(maskSecrets(message), longestSentence);

async function interpret(line: string, run: LineRun, progress: Progress): Promise<LineOutcome> {
  progress.json ||= asksForJson(line);
  const principal = await run.services.authorizer.principal(run.session.identity);
  progress.principal = principal;
  checkNoPrivateKey(line, run.commands);
  const found = findCommand(line, run.commands, run.hint);
  if (found === undefined) return { kind: 'nothing' };
  if ('group' in found) return answerGroup(found, principal, progress);
  const { command, words, rest } = found;
  progress.command = command;
  progress.json = (run.json ?? false) || hasFlag(words, '--json');
  if (hasFlag(words, '--help')) return answerHelp(command, principal);
  checkMayRun(command, principal);
  const { args, json } = parseArguments(command, words, rest);
  progress.json = (run.json ?? false) || json;
  run.onCommand?.(command);
  const context = contextOf(command, run, principal);
  const result = await (command.long ? runLong(command, args, context) : command.run(args, context));
  if ('end' in result) return { kind: 'end', end: result.end };
  return { kind: 'answer', exitStatus: 0, ...result };
}

/** A private key is refused wherever it stands, except in what `ssh TARGET …` passes on. */
function checkNoPrivateKey(line: string, commands: readonly Command[]): void {
  const start = line.trimStart();
  const isPassedOn = commands.some(
    (command) => command.verbatimAfter && start.startsWith(`${nameOf(command)} `),
  );
  if (!isPassedOn && beginsPrivateKey(line)) throw new GatewayError('private-key', {});
}

const answered = (data: unknown, text: string): LineOutcome => ({
  kind: 'answer',
  data,
  text,
  exitStatus: 0,
});

function answerHelp(command: Command, principal: Principal): LineOutcome {
  checkTokenAllowsHelp(command, principal);
  return answered({ commands: [helpData(command)] }, helpOf(command));
}

/** `ssh-key --help` lists its commands; `ssh-key` alone is a line that lacks a word. */
function answerGroup(found: FoundGroup, principal: Principal, progress: Progress): LineOutcome {
  const { words } = found;
  const group = found.group.filter(({ permission }) => isFor(permission, principal));
  progress.json ||= hasFlag(words, '--json');
  if (hasFlag(words, '--help')) return answered({ commands: group.map(helpData) }, listOf(group));
  const { parent } = found;
  if (parent === undefined) {
    throw new GatewayError('usage', { problem: 'the line names no command; "help" lists them.' });
  }
  const choices = group.map(({ path }) => path[1]).join(', ');
  throw new GatewayError('usage', {
    problem: `"${parent}" needs one more word: ${choices || '"help" lists the commands'}.`,
  });
}

function contextOf(command: Command, run: LineRun, principal: Principal): CommandContext {
  const { services, commands, session, request, io, stdinIsTaken } = run;
  return {
    ...services,
    commands,
    principal,
    session,
    request,
    io,
    interactive: stdinIsTaken,
    ...(run.json ? {} : { progress: createProgress(io, request) }),
    leave: run.leave ?? (() => undefined),
    usage: (problem) => usageError(command, problem),
    async readStdin(limitBytes) {
      if (stdinIsTaken) return '';
      const text = await readAll(io, limitBytes);
      // Whoever sends it takes their time.
      checkMayStillRun(command, principal, await services.authorizer.principal(session.identity));
      return text;
    },
  };
}

/** After `--` there are no flags. */
function hasFlag(words: readonly string[], flag: string): boolean {
  const flagsEnd = words.indexOf('--');
  return words.slice(0, flagsEnd === -1 ? undefined : flagsEnd).includes(flag);
}

/** Before the line is understood: does it look as if its answer is read by a program? */
function asksForJson(line: string): boolean {
  try {
    return hasFlag(splitWords(line), '--json');
  } catch {
    return false;
  }
}

const longestSentence = 2_000;

/** 255 means that a session could not be had; a command that only answers has then simply failed. */
function statusOf(error: GatewayError, command: Command | undefined): number {
  const isSession = command?.verbatimAfter !== undefined;
  return error.exitStatus === 255 && !isSession && error.code !== 'internal' ? 1 : error.exitStatus;
}

function describeOutcome(outcome: LineOutcome): string {
  if (outcome.kind === 'failure') return outcome.failure.code;
  const status = outcome.kind === 'answer' ? outcome.exitStatus : 0;
  const failed = outcome.kind === 'end' && !('exitStatus' in outcome.end && outcome.end.exitStatus === 0);
  return failed || status !== 0 ? 'failed' : 'done';
}

const refusals: ReadonlySet<string> = new Set([
  'not-allowed',
  'restricted-key',
  'target-not-found',
  'target-user-refused',
  'second-factor-missing',
  'second-factor-unproven',
  'second-factor-target',
  'second-factor-first',
  'token-not-allowed',
  'token-passes',
  'token-exceeds',
  'invalid-token',
]);

/** The audit: what changed something, and what was refused. */
function note(line: string, run: LineRun, { command }: Progress, came: LineOutcome): void {
  const outcome = describeOutcome(came);
  if (!command?.changes && !refusals.has(outcome)) return;
  run.services.audit.commandRun(run.session.identity, {
    line: printable(excerpt(maskSecrets(line), 1_000)),
    outcome,
  });
}
