/** Sends one command line to the running gateway's control socket and prints what comes back. */
import { createConnection } from 'node:net';
import { resolve } from 'node:path';
import { type ControlResponse, controlSocketPath } from '../control/control-protocol.ts';
import { GatewayError } from '../errors.ts';
import { readStdin } from './read-stdin.ts';
import type { CliCommand } from './run-cli.ts';

export const operate: CliCommand = async (args, terminal) => {
  const { words, dataDir } = takeDataFlag(args, terminal.env['POSTERN_DATA_DIR'] ?? './data');
  if (words[0] === 'backup' && words[1]?.startsWith('-')) {
    throw new GatewayError('usage', {
      problem: 'name the file for the backup: postern backup FILE [--data DIR].',
    });
  }
  // `backup` names a file of this machine: the gateway may have another working folder.
  const sent =
    words[0] === 'backup' && words[1] !== undefined
      ? ['backup', resolve(words[1]), ...words.slice(2)]
      : words;
  const stdin = takesStdin(words) && !terminal.stdin.isTTY ? await readStdin(terminal) : '';
  const response = await call(dataDir, { line: sent.map(quote).join(' '), stdin });
  terminal.stdout.write(response.stdout);
  terminal.stderr.write(response.stderr);
  return response.exitStatus;
};

/** Reading the stdin of a command that takes none could wait for ever, in a script whose stdin stays open. */
const takesStdin = (words: readonly string[]) => words[1] === 'add' || words[1] === 'add-key';

function takeDataFlag(args: readonly string[], fallback: string): { words: string[]; dataDir: string } {
  const words: string[] = [];
  let dataDir = fallback;
  for (let index = 0; index < args.length; index++) {
    const word = args[index] as string;
    if (word.startsWith('--data=')) dataDir = word.slice('--data='.length);
    else if (word === '--data' && args[index + 1] !== undefined) dataDir = args[++index] as string;
    else words.push(word);
  }
  return { words, dataDir };
}

/** As the lobby's line syntax reads it back: nothing is special in single quotes but the quote itself. */
const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

async function call(dataDir: string, request: { line: string; stdin: string }): Promise<ControlResponse> {
  const path = controlSocketPath(dataDir);
  const socket = createConnection({ path, allowHalfOpen: true });
  try {
    await new Promise<void>((done, fail) => socket.once('connect', done).once('error', fail));
  } catch (error) {
    throw new Error(
      `no gateway answers at ${path}; start one with "postern serve", or name its data folder with --data DIR.`,
      { cause: error },
    );
  }
  socket.end(JSON.stringify(request));
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  if (chunks.length === 0)
    throw new Error('the gateway closed the control socket without an answer; its log says why.');
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as ControlResponse;
}
