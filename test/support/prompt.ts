/** The lobby's prompt with a few commands of a test's own, and somebody who types at it. */
import { pino } from 'pino';
import type { Command, CommandServices } from '../../src/commands/command.ts';
import { runPrompt } from '../../src/commands/prompt/prompt.ts';
import type { SessionEnd, SessionHandler } from '../../src/sessions/session.ts';
import { startSession, terminal } from './session-io.ts';

/** What `say` said, in order, since the last prompt began. */
export const ran: string[] = [];

const command = (path: string[], run: Command['run'], facts: Partial<Command> = {}): Command => ({
  path,
  summary: '',
  positionals: [],
  options: {},
  permission: 'anyone',
  run,
  ...facts,
});

/** Reads its terminal until it sees a q, as a program of a target would. */
const catUntilQ: Command['run'] = async (_args, { io, request }) => {
  io.stdout.write(`[cat ${request.pty?.size.columns}]`);
  io.onWindowChange(({ columns }) => io.stdout.write(`[now ${columns}]`));
  for await (const chunk of io.stdin as AsyncIterable<Buffer>) {
    io.stdout.write(`<${chunk.toString()}>`);
    if (chunk.includes('q')) break;
  }
  return { end: { exitStatus: 3 } };
};

const commands: Command[] = [
  command(
    ['say'],
    async ({ positionals }) => {
      const words = (positionals['WORD'] as string[]).join(' ');
      ran.push(words);
      return { data: {}, text: `said ${words}` };
    },
    { positionals: [{ name: 'WORD', variadic: true, completes: 'key' }] },
  ),
  command(['cat'], catUntilQ),
  command(['slow'], async (_args, { io }) => {
    await new Promise((resolve) => setTimeout(resolve, 60));
    io.stdout.write('[slow done]');
    return { end: { exitStatus: 0 } };
  }),
  command(['exit'], async (_args, { leave }) => {
    leave();
    return { end: { exitStatus: 0 } };
  }),
];

const principal = {
  identity: {},
  account: { id: 'a', name: 'tester', role: 'member' },
  key: { restrictions: {} },
  restricted: false,
  secondFactor: { enrolled: false, required: false, proof: undefined },
};
const services = {
  authorizer: { principal: async () => principal },
  keys: { list: async () => [{ name: 'laptop' }, { name: "Bob's phone" }, { name: 'evil\u001b[31m' }] },
} as unknown as CommandServices;

/** A prompt with the commands say, cat, slow and exit. */
export function prompt(size = terminal()) {
  ran.length = 0;
  const handler: SessionHandler = (request, io, session) =>
    runPrompt(
      { services, commands, log: pino({ level: 'silent' }), session, request, io },
      request.pty ?? size,
    );
  return startSession(handler, { kind: 'shell' }, { pty: size });
}

type Session = ReturnType<typeof prompt>;

/** Types, and waits until the terminal shows something. */
export async function type(session: Session, text: string, expected: string | RegExp) {
  session.stdin.write(text);
  return session.saw(expected);
}

/** Ctrl-D. */
export async function leave(session: Session): Promise<SessionEnd> {
  session.stdin.write('\x04');
  return session.end;
}
