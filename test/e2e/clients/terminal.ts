import { type Outcome, type RunOptions, runProgram } from '../../support/ssh-client.ts';

const spawnInTerminal = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

/** Runs a program in a terminal, for clients that ask for one only when they have one themselves. */
export const runInTerminal = (
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> => runProgram('/usr/bin/python3', ['-c', spawnInTerminal, program, ...args], options);
