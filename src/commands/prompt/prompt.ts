/** The interactive prompt: a shell in the lobby, on a terminal. */
import { setTimeout as after } from 'node:timers/promises';
import { GatewayError } from '../../errors.ts';
import type { Pty, SessionEnd, SessionIo, SignalName, WindowSize } from '../../sessions/session.ts';
import { createPrivateKeyGuard } from '../interpreter/private-key-guard.ts';
import { type LineRun, runLine } from '../interpreter/run-line.ts';
import { createOutput } from '../interpreter/write-text.ts';
import { completeLine } from './complete.ts';
import { createInputGate, type InputGate } from './input-gate.ts';
import { type Completer, createLineEditor } from './line-editor.ts';
import { createTerminalOutput } from './terminal-output.ts';

/** Runs lines until the person leaves (`exit`, Ctrl-D) or is gone. */
export async function runPrompt(run: Omit<LineRun, 'stdinIsTaken'>, pty: Pty): Promise<SessionEnd> {
  const { io, request, session } = run;
  const gate = createInputGate(io.stdin, io.closed);
  const terminal = trackTerminal(io, pty);
  const output = createTerminalOutput(io.stdout, pty.size);
  terminal.onResize(output.resize);
  const prompt = `${session.identity.accountName} ▶ `;
  const editor = createLineEditor({ gate, output, prompt, complete: completerFor(run), closed: io.closed });
  const { answer, complain } = createOutput(io, request);
  const guard = createPrivateKeyGuard();
  let left = false;
  const leave = () => {
    left = true;
  };
  try {
    await answer(greeting(session.identity.accountName));
    while (!left) {
      const line = await editor.readLine();
      if (line === undefined || io.closed.aborted) break;
      if (guard.check(line) !== 'clean') {
        await complain(new GatewayError('private-key', {}).message);
        await swallowKey(gate, guard);
      } else if (line.trim() !== '') {
        await runForeground(line, { ...run, leave }, gate, terminal);
      }
    }
  } finally {
    editor.close();
  }
  return { exitStatus: 0 };
}

const greeting = (name: string) =>
  `Welcome, ${name}. "help" lists the commands, "ls" what you can reach; "exit" or Ctrl-D leaves.`;

function completerFor({
  commands,
  services,
  session,
}: Pick<LineRun, 'commands' | 'services' | 'session'>): Completer {
  return async (line) =>
    completeLine(line, commands, services, await services.authorizer.principal(session.identity));
}

interface Terminal {
  size(): WindowSize;
  onResize(listener: (size: WindowSize) => void): void;
  /** Io for the program of one line: its listeners go when it ends. */
  foreground(): { io: Pick<SessionIo, 'onWindowChange' | 'onSignal'>; end(): void };
}

/** One listener on the session for the prompt's whole life, however many programs come and go. */
function trackTerminal(io: SessionIo, pty: Pty): Terminal {
  let size = pty.size;
  const always: ((size: WindowSize) => void)[] = [];
  let onSize: ((size: WindowSize) => void)[] = [];
  let onSignal: ((name: SignalName) => void)[] = [];
  io.onWindowChange((changed) => {
    size = changed;
    for (const listener of [...always, ...onSize]) listener(changed);
  });
  io.onSignal((name) => {
    for (const listener of onSignal) listener(name);
  });
  return {
    size: () => size,
    onResize: (listener) => always.push(listener),
    foreground: () => ({
      io: {
        onWindowChange: (listener) => onSize.push(listener),
        onSignal: (listener) => onSignal.push(listener),
      },
      end: () => {
        onSize = [];
        onSignal = [];
      },
    }),
  };
}

/** Runs one line; a program that reads has the terminal's input until it ends. */
async function runForeground(
  line: string,
  run: Omit<LineRun, 'stdinIsTaken'>,
  gate: InputGate,
  terminal: Terminal,
): Promise<void> {
  const { stdin, giveBack } = gate.lend();
  const foreground = terminal.foreground();
  const { pty } = run.request;
  const request = pty ? { ...run.request, pty: { ...pty, size: terminal.size() } } : run.request;
  const io: SessionIo = { ...run.io, ...foreground.io, stdin };
  try {
    await runLine(line, { ...run, request, io, stdinIsTaken: true });
  } finally {
    foreground.end();
    giveBack();
  }
}

const quietMs = 500;

/** Drops the rest of a pasted private key unseen: until its last line, or until nothing comes for half a second. */
async function swallowKey(gate: InputGate, guard: ReturnType<typeof createPrivateKeyGuard>): Promise<void> {
  let line = '';
  while (guard.isInside()) {
    const quiet = new AbortController();
    let wanted = true;
    const bytes = await Promise.race([
      gate.take(() => wanted),
      after(quietMs, undefined, { signal: quiet.signal }).catch(() => undefined),
    ]);
    wanted = false;
    quiet.abort();
    if (bytes === undefined) return guard.reset();
    const [first = '', ...more] = bytes.toString('latin1').split(/\r\n|\r|\n/);
    const lines = [line + first, ...more];
    line = (lines.pop() ?? '').slice(-1024);
    while (guard.isInside() && lines.length > 0) guard.check(lines.shift() as string);
    // A PuTTY key's last line, or whatever follows the key, is put back for the editor.
    if (!guard.isInside()) gate.putBack(Buffer.from([...lines, line].join('\r'), 'latin1'));
  }
}
