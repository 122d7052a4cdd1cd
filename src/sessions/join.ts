/** Joining: somebody with a valid invite and a proven key gets an account with that key. */
import type { Invites } from '../accounts/accounts.ts';
import type { Audit } from '../audit/audit.ts';
import type { Applicant } from '../auth/authenticator.ts';
import type { Endpoint } from '../commands/command.ts';
import { createInputGate } from '../commands/prompt/input-gate.ts';
import { createLineEditor } from '../commands/prompt/line-editor.ts';
import { createTerminalOutput } from '../commands/prompt/terminal-output.ts';
import { GatewayError, isGatewayError } from '../errors.ts';
import { printable } from '../platform/printable.ts';
import type { Pty, SessionEnd, SessionIo, SessionRequest } from './session.ts';

export interface JoinDependencies {
  readonly invites: Invites;
  readonly audit: Audit;
  readonly endpoint: () => Endpoint;
}

/** A handler for the one session of an applicant: the account's name is asked for, or is the command. */
export function createJoin(dependencies: JoinDependencies) {
  return async (applicant: Applicant, request: SessionRequest, io: SessionIo): Promise<SessionEnd> => {
    const { start, pty } = request;
    if (start.kind === 'subsystem') throw new GatewayError('lobby-no-files', {});
    if (start.kind === 'shell' && pty) return joinInteractively(dependencies, applicant, io, pty);
    const name = start.kind === 'exec' ? start.command.trim() : '';
    await redeem(dependencies, applicant, name, (line) => io.stdout.write(`${line}\n`));
    return { exitStatus: 0 };
  };
}

async function redeem(
  { invites, audit, endpoint }: JoinDependencies,
  applicant: Applicant,
  name: string,
  print: (line: string) => void,
): Promise<void> {
  const { account, key } = await invites.redeem(applicant.code, applicant.key, name === '' ? {} : { name });
  audit.accountJoined({
    account: account.name,
    fingerprint: key.fingerprint,
    source: applicant.source.address,
  });
  const { host, port } = endpoint();
  print(`Welcome, ${account.name}: this key (${key.fingerprint}) is now yours here, as ${account.role}.`);
  print(`From now on, log in with:  ssh -p ${port} ${host}`);
}

/** Instead of an answer: Ctrl-C, Ctrl-D, or the connection is gone. */
class Left extends Error {
  override readonly name = 'Left';
}

async function joinInteractively(
  dependencies: JoinDependencies,
  applicant: Applicant,
  io: SessionIo,
  pty: Pty,
): Promise<SessionEnd> {
  const { print, ask, close } = openQuestions(io, pty);
  try {
    const invite = await dependencies.invites.findByCode(applicant.code);
    if (!invite) throw new GatewayError('invalid-invite', {});
    print(`You are about to join with this key: ${applicant.key.type} ${applicant.key.fingerprint}`);
    const answer = await ask('Is that the key you want to use from now on? [y/N] ');
    if (!/^y(es)?$/i.test(answer.trim())) {
      const { host, port } = dependencies.endpoint();
      print(
        `Nothing was changed. Choose a key with:  ssh -p ${port} -o IdentitiesOnly=yes -i KEY join+CODE@${host}`,
      );
      return { exitStatus: 1 };
    }
    await askName(dependencies, applicant, invite.name, ask, print);
    return { exitStatus: 0 };
  } catch (error) {
    if (error instanceof Left) return { exitStatus: 130 };
    throw error;
  } finally {
    await close();
  }
}

/** By the lobby's line editor: whoever joins is a stranger, and may type whatever they like. `ask` throws Left. */
function openQuestions(io: SessionIo, pty: Pty) {
  const gate = createInputGate(io.stdin, io.closed);
  const output = createTerminalOutput(io.stdout, pty.size);
  io.onWindowChange(output.resize);
  return {
    print: (line: string) => void output.write(`${line}\r\n`),
    async ask(prompt: string): Promise<string> {
      const complete = async (): Promise<[string[], string]> => [[], ''];
      const editor = createLineEditor({
        gate,
        output,
        prompt,
        complete,
        closed: io.closed,
        leaves: 'on Ctrl-C',
      });
      const line = await editor.readLine();
      editor.close();
      if (line === undefined) throw new Left();
      return line;
    },
    close: () => new Promise<void>((resolve) => output.end(resolve)),
  };
}

/** Asks until the name can be had; three tries. */
async function askName(
  dependencies: JoinDependencies,
  applicant: Applicant,
  fixedName: string | undefined,
  ask: (question: string) => Promise<string>,
  print: (line: string) => void,
): Promise<void> {
  for (let tries = 3; ; tries--) {
    const name = fixedName ?? (await ask('What should your account be called? ')).trim();
    if (name === '' && tries > 1) {
      print('An account needs a name. Type one, or leave with Ctrl-C: nothing has been changed.');
      continue;
    }
    try {
      return await redeem(dependencies, applicant, name, print);
    } catch (error) {
      const retry =
        isGatewayError(error) && ['invalid-account-name', 'account-name-taken'].includes(error.code);
      if (!retry || fixedName !== undefined || tries === 1) throw error;
      print(printable((error as Error).message));
    }
  }
}
