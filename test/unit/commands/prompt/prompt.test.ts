import { describe, expect, it } from 'vitest';
import { leave, prompt, ran, type } from '../../../support/prompt.ts';
import { terminal } from '../../../support/session-io.ts';

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
