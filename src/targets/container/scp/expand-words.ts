/** What the user's own shell in the container makes of scp's paths. */
import { PassThrough, Writable } from 'node:stream';
import type { SessionEnd, SessionIo } from '../../../sessions/session.ts';

/** Runs a command line as the session would. */
export type RunCommand = (command: string, io: SessionIo) => Promise<SessionEnd>;

/** Of paths that no shell would change. */
const literal = /^[\w./:@%+,=-]+(?:[ \t]+[\w./:@%+,=-]+)*$/;
const maxBytes = 4 * 1024 * 1024;

/**
 * The words, one character per byte. `words` runs no program and ends no command, as parseScpCommand found, so that it
 * can stand in one as it is: this is what a shell would have made of scp's own command line. Undefined where the shell
 * did not like it; what it said is on stderr then.
 */
export async function expandWords(
  words: string,
  run: RunCommand,
  { stderr, closed }: Pick<SessionIo, 'stderr' | 'closed'>,
): Promise<readonly string[] | undefined> {
  if (literal.test(words))
    return Buffer.from(words)
      .toString('latin1')
      .split(/[ \t]+/);
  const chunks: Buffer[] = [];
  let bytes = 0;
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      done();
    },
  });
  const stdin = new PassThrough();
  stdin.end();
  const ignored = () => {};
  const io = { stdin, stdout, stderr, closed, onWindowChange: ignored, onSignal: ignored };
  const end = await run(`printf '%s\\0' ${words}`, io);
  if (!('exitStatus' in end) || end.exitStatus !== 0 || bytes > maxBytes) return undefined;
  return Buffer.concat(chunks).toString('latin1').split('\0').slice(0, -1);
}
