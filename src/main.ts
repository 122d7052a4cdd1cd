/** The program: the only reader of process.argv and the only writer of process.exitCode. */
import { wantsKeeper } from './keeper/wants-keeper.ts';

const { env, execPath, execArgv } = process;
const [script = '', ...args] = process.argv.slice(1);
// By which bin/postern was called: whatever lies there at a restart is started.
const startedBy = env['POSTERN_STARTED_BY'];
delete env['POSTERN_STARTED_BY'];

// What the keeper needs not, it does not load.
if (wantsKeeper(args, env)) {
  const { keep } = await import('./keeper/keep.ts');
  const program = startedBy ? { file: startedBy, args: [] } : { file: execPath, args: [...execArgv, script] };
  process.exitCode = await keep(program, args[0] === 'serve' ? args.slice(1) : args, env);
} else {
  const { runCli } = await import('./cli/run-cli.ts');
  const { stdin, stdout, stderr } = process;
  process.exitCode = await runCli(args, { env, stdin, stdout, stderr });
}
