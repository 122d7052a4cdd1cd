import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Command, CommandServices } from '../../../../src/commands/command.ts';
import { runPrompt } from '../../../../src/commands/prompt/prompt.ts';
import type { SessionEnd, SessionHandler } from '../../../../src/sessions/session.ts';
import { startSession, terminal } from '../../../support/session-io.ts';

const ran: string[] = [];

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
  account: { id: 'a', name: 'tester', role: 'member' },
  key: { restrictions: {} },
  restricted: false,
};
const services = {
  authorizer: { principal: async () => principal },
  keys: { list: async () => [{ name: 'laptop' }, { name: "Bob's phone" }, { name: 'evil\u001b[31m' }] },
} as unknown as CommandServices;

function prompt(size = terminal()) {
  ran.length = 0;
  const handler: SessionHandler = (request, io, session) =>
    runPrompt(
      { services, commands, log: pino({ level: 'silent' }), session, request, io },
      request.pty ?? size,
    );
  return startSession(handler, { kind: 'shell' }, { pty: size });
}

type Session = ReturnType<typeof prompt>;

async function type(session: Session, text: string, expected: string | RegExp) {
  session.stdin.write(text);
  return session.saw(expected);
}

async function leave(session: Session): Promise<SessionEnd> {
  session.stdin.write('\x04');
  return session.end;
}

describe('the prompt', () => {
  it('greets, shows the name, runs a line, and Ctrl-D leaves with status 0', async () => {
    const session = prompt();
    const greeted = await session.saw('tester ▶ ');
    expect(greeted).toMatch(/^Welcome, tester\..*\r\n/);
    await type(session, 'say hello\r', 'said hello\r\n');
    expect(await leave(session)).toEqual({ exitStatus: 0 });
    expect(ran).toEqual(['hello']);
  });

  it('exit leaves, and what was typed after it is not run', async () => {
    const session = prompt();
    session.stdin.write('exit\rsay after\r');
    expect(await session.end).toEqual({ exitStatus: 0 });
    expect(ran).toEqual([]);
  });

  it('the end of stdin leaves', async () => {
    const session = prompt();
    await session.saw('▶');
    session.stdin.end();
    expect(await session.end).toEqual({ exitStatus: 0 });
  });

  it('a client that vanishes ends it', async () => {
    const session = prompt();
    await session.saw('▶');
    session.vanish();
    expect(await session.end).toEqual({ exitStatus: 0 });
  });

  it('a failing line is told on stderr with CR LF and leaves the prompt running', async () => {
    const session = prompt();
    await type(session, "nosuch\rsay it's\rsay still here\r", 'said still here');
    const errors = session.stderr().toString();
    expect(errors).toMatch(/postern: there is no command "nosuch"/);
    expect(errors).toMatch(/no counterpart/);
    expect(errors.replaceAll('\r\n', '')).not.toContain('\n');
    await leave(session);
  });

  it('keys edit the line: arrows, backspace, Ctrl-A, Ctrl-U, and history with the arrow up', async () => {
    const session = prompt();
    await type(session, 'say acb\x1b[D\x7f\x1b[Fd\r', 'said abd');
    await type(session, 'rubbish\x15say x\x01\x1b[C\r', 'said x');
    await type(session, '\x1b[A\x1b[A\r', /said abd[\s\S]*said abd/);
    await leave(session);
    expect(ran).toEqual(['abd', 'x', 'abd']);
  });

  it('Ctrl-C clears the line', async () => {
    const session = prompt();
    await type(session, 'say wrong\x03say right\r', 'said right');
    expect(ran).toEqual(['right']);
    expect(session.stdout().toString()).toContain('^C');
    await leave(session);
  });

  it('Ctrl-Z does not stop the gateway', async () => {
    const stops: string[] = [];
    const kill = process.kill;
    process.kill = ((_pid: number, signal: string) => stops.push(signal) > 0) as typeof process.kill;
    try {
      const session = prompt();
      await type(session, '\x1asay on\r', 'said on');
      await leave(session);
      expect(stops).toEqual([]);
    } finally {
      process.kill = kill;
    }
  });

  it('several lines pasted at once run one after the other', async () => {
    const session = prompt();
    await type(session, 'say 1\rslow\r\nsay 2\nsay 3\r\n', 'said 3');
    expect(ran).toEqual(['1', '2', '3']);
    expect(session.stdout().toString()).toMatch(/said 1[\s\S]*slow done[\s\S]*said 2[\s\S]*said 3/);
    await leave(session);
  });
});

describe('a program of a line', () => {
  it('gets what is typed, and the prompt has it back afterwards', async () => {
    const session = prompt();
    await type(session, 'cat\r', '[cat 80]');
    await type(session, 'abc', '<abc>');
    await type(session, 'q', '<q>');
    await type(session, 'say back\r', 'said back');
    await leave(session);
  });

  it('gets what was pasted behind its line', async () => {
    const session = prompt();
    await type(session, 'cat\rmore q', '<more q>');
    await type(session, 'say back\r', 'said back');
    await leave(session);
  });

  it('what is typed while a program runs that does not read waits for the prompt', async () => {
    const session = prompt();
    session.stdin.write('slow\r');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await type(session, 'say later\r', 'said later');
    expect(session.stdout().toString()).toMatch(/slow done[\s\S]*said later/);
    await leave(session);
  });

  it('sees the terminal as it is now, and its changes', async () => {
    const session = prompt();
    await session.saw('▶');
    session.resize(132, 40);
    await type(session, 'cat\r', '[cat 132]');
    session.resize(99, 40);
    await session.saw('[now 99]');
    await type(session, 'q', '<q>');
    await type(session, '', /<q>[\s\S]*▶/);
    session.resize(70, 20);
    await type(session, 'say done\r', 'said done');
    expect(session.stdout().toString()).not.toContain('[now 70]');
    await leave(session);
  });

  it('and its terminal of size 0×0 counts as 80 columns for the prompt', async () => {
    const session = prompt(terminal(0, 0));
    await type(session, 'say tiny\r', 'said tiny');
    await leave(session);
  });
});

describe('Tab', () => {
  it('completes commands and names, and quotes a name that needs it', async () => {
    const session = prompt();
    await type(session, 'sa\tlap\t\r', 'said laptop');
    await type(session, 'say Bo\t\r', "said Bob's phone");
    await type(session, 'say x --j\t', '--json');
    session.stdin.write('\x15');
    await leave(session);
  });

  it('name-with-escape: a name with control characters is not offered', async () => {
    const session = prompt();
    await type(session, 'say \t\t', 'laptop');
    await type(session, '\x15say x\r', 'said x');
    expect(session.stdout().toString()).not.toContain('\x1b[31m');
    await leave(session);
  });
});

describe('secrets at the prompt', () => {
  const key = `-----BEGIN OPENSSH PRIVATE KEY-----\r${'b3BlbnNzaC1rZXktdjEAAAAA\rSECRETBODYSECRETBODY\r'.repeat(3)}-----END OPENSSH PRIVATE KEY-----\r`;

  it('private-key-pasted: refused with the sentence, its body neither run nor echoed, the next line runs', async () => {
    const session = prompt();
    await type(session, `${key}say next\r`, 'said next');
    await leave(session);
    const seen = session.stdout().toString() + session.stderr().toString();
    expect(seen.match(/that is the private key/g)).toHaveLength(1);
    expect(seen).not.toContain('SECRETBODY');
    expect(ran).toEqual(['next']);
  });

  it('a private key that breaks off does not swallow what is typed a second later', async () => {
    const session = prompt();
    await type(session, '-----BEGIN OPENSSH PRIVATE KEY-----\rSECRETBODY', /▶/);
    await new Promise((resolve) => setTimeout(resolve, 800));
    await type(session, 'say alive\r', 'said alive');
    expect(session.stdout().toString()).not.toContain('SECRETBODY');
    await leave(session);
  });

  it.each(['say exe0.SECRET.SECRET', 'say join+SECRETCODE', 'say exe1.secretsecret'])(
    'the line "%s" is not in the history',
    async (line) => {
      const session = prompt();
      await type(session, `say first\r${line}\r`, /said [ej]/);
      await type(session, '\x1b[A\r', /said first[\s\S]*said first/);
      expect(ran).toEqual(['first', line.slice(4), 'first']);
      await leave(session);
    },
  );
});

describe('hostile input at the prompt', () => {
  it('a paste of 64 KiB in one line keeps the process free', async () => {
    const session = prompt();
    await session.saw('▶');
    const longest = measureBlocking();
    await type(session, `say ${'x'.repeat(60_000)}\r`, /said x{60000}/);
    expect(await longest()).toBeLessThan(500);
    await leave(session);
  });

  it('a line without an end is dropped at 64 KiB', async () => {
    const session = prompt();
    await session.saw('▶');
    for (let count = 0; count < 40; count++) session.stdin.write('y'.repeat(4096));
    await session.saw('longer than 64 KiB');
    await type(session, '\x03say on\r', 'said on');
    await leave(session);
  });

  it('random bytes end in nothing worse than error sentences', async () => {
    const session = prompt();
    await session.saw('▶');
    let seed = 7;
    const bytes = Buffer.from(
      Array.from({ length: 20_000 }, () => {
        seed = (seed * 1103515245 + 12345) & 0x7fffffff;
        const byte = (seed >> 8) & 255;
        return byte === 4 ? 65 : byte;
      }),
    );
    const longest = measureBlocking();
    session.stdin.write(bytes);
    await type(session, '\x03\rsay survived\r', 'said survived');
    expect(await longest()).toBeLessThan(500);
    await leave(session);
  });

  it('invisible controls beyond ASCII are not echoed', async () => {
    const session = prompt();
    await type(session, 'say a\u009b31m\u202eb\r', 'said a31mb');
    await leave(session);
    expect(session.stdout().toString()).not.toMatch(/[\u0080-\u009f\u202e]/);
  });
});

/** The longest time the event loop was held up between the call and the call of its result. */
function measureBlocking() {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 5);
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    clearInterval(timer);
    return longest;
  };
}
