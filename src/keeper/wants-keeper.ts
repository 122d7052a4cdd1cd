/** Whether a command line starts a gateway of several processes: asked before anything is loaded. */
import { readFileSync, statSync } from 'node:fs';
import { defaultWorkers } from '../platform/default-workers.ts';

/**
 * True for `postern serve`, or flags alone, unless the flag --workers, the file of --config or POSTERN_WORKERS says 0, or that
 * file is a pipe, which nobody could read again. What is wrong with any of these is said by whoever reads the configuration in full.
 */
export function wantsKeeper(argv: readonly string[], env: NodeJS.ProcessEnv): boolean {
  const words = argv[0] === '--data' ? argv.slice(2) : argv[0]?.startsWith('--data=') ? argv.slice(1) : argv;
  const [first = 'serve'] = words;
  if (first !== 'serve' && !first.startsWith('-')) return false;
  if (argv.some((word) => /^(-h|--help|--version)$/.test(word))) return false;
  const file = flagIn(argv, '--config');
  if (file !== undefined && !isFile(file)) return false;
  const workers =
    flagIn(argv, '--workers') ?? (file && inFile(file)) ?? env['POSTERN_WORKERS'] ?? defaultWorkers;
  return String(workers).trim() !== '0';
}

/** The last one given, as flags are read. */
function flagIn(argv: readonly string[], flag: string): string | undefined {
  const at = argv.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`));
  if (at === -1) return undefined;
  return argv[at] === flag ? argv[at + 1] : argv[at]?.slice(flag.length + 1);
}

const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

function inFile(file: string): unknown {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { workers?: unknown } | null)?.workers;
  } catch {
    return undefined;
  }
}
