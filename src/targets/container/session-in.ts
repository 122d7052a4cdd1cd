/** What one session in a container is: a program of its image, or file transfer that the gateway serves. */
import type { Authorization } from '../../auth/authorization.ts';
import { GatewayError } from '../../errors.ts';
import type { Meter, ProgramWay } from '../../metrics/meter.ts';
import { bytesOfText } from '../../platform/text-of-bytes.ts';
import type { SessionHandler, SessionIo, SessionRequest } from '../../sessions/session.ts';
import { checkAllowed } from '../check-allowed.ts';
import type { ContainerTarget } from '../target.ts';
import { type ExecParts, runExecSession } from './exec-session.ts';
import { askResident } from './resident/ask-resident.ts';
import type { ChooseResident } from './resident/choose-resident.ts';
import type { Residents } from './resident/create-residents.ts';
import { filesQuestion, runFilesInside } from './resident/files-inside.ts';
import { runInResident } from './resident/run-in-resident.ts';
import { expandWords } from './scp/expand-words.ts';
import type { ScpTransfer } from './scp/scp-command.ts';
import { serveScp } from './scp/serve-scp.ts';
import {
  type FilesProtocol,
  findFilesProtocol,
  findShell,
  folderOf,
  type PlanRules,
  planSession,
} from './session-plan.ts';
import { runFileSession, type ServeFiles } from './sftp/file-session.ts';
import { serveSftp } from './sftp/sftp-server.ts';
import type { Spares } from './spares/create-spares.ts';

export interface SessionParts extends ExecParts {
  readonly residents: Residents;
  readonly choose: ChooseResident;
  readonly spares: Spares;
  readonly meter: Pick<Meter, 'programStarted'> | undefined;
}

export function createSessionHandler(
  authorization: Authorization<ContainerTarget>,
  parts: SessionParts,
  rules: PlanRules,
): SessionHandler {
  const { target, user, allows } = authorization;
  const { residents, choose, spares } = parts;
  return async (request, io, context) => {
    checkAllowed(authorization, request);
    const requestedAtMs = performance.now();
    const onStarted = (way: ProgramWay) =>
      parts.meter?.programStarted(way, (performance.now() - requestedAtMs) / 1000);
    const metered = { ...parts, onStarted };
    const known = residents.findReady(authorization)?.facts;
    const facts = known ?? (await parts.facts.getFacts(target.id, target.name));
    const run = async (asked: SessionRequest, to: SessionIo, asHelper = false) => {
      const plan = await planSession(facts, user, asked, context, { ...rules, asHelper });
      const resident = await choose(authorization, facts, plan);
      const end = resident && (await runInResident(metered, resident, plan, to, to.closed));
      const take = () => spares.take(authorization, facts, plan);
      return end ?? runExecSession(metered, facts, plan, to, to.closed, take);
    };
    const protocol = await findFilesProtocol(facts, request);
    if (!protocol) return run(request, io);
    if (!allows.sftp) throw new GatewayError('sftp-refused', {});
    const asked = await facts.getUser(user);
    const runCommand = (command: string, to: SessionIo) =>
      run({ env: request.env, start: { kind: 'exec', command } }, to);
    const expand = (await findShell(facts, asked))
      ? (words: string) => expandWords(words, runCommand, io)
      : async (words: string) => rules.splitWords(words).map(toLatin1);
    const transfer = await transferOf(protocol, expand);
    if (!transfer) return { exitStatus: 1 };
    // Where there can be none, the image's own shell does what it can.
    const question = filesQuestion(transfer, folderOf(facts, asked));
    const as = { facts, user: asked };
    const answered = await askResident(residents, authorization, as, question).catch(() => undefined);
    if (answered) return runFilesInside(io, answered);
    const runHelper = (to: SessionIo) => run(request, to, true);
    return runFileSession(io, runHelper, await facts.homes(asked), serverOf(transfer, io));
  };
}

const toLatin1 = (text: string) => bytesOfText(text).toString('latin1');

/** Undefined where the shell in there did not like the words, and has said so. */
async function transferOf(
  protocol: FilesProtocol,
  expand: (words: string) => Promise<readonly string[] | undefined>,
): Promise<'sftp' | ScpTransfer | undefined> {
  if (protocol === 'sftp') return protocol;
  const { words, ...options } = protocol;
  const paths = await expand(words);
  return paths && { ...options, paths };
}

/** Over a session's streams. */
const serverOf =
  (transfer: 'sftp' | ScpTransfer, { stdin, stdout }: SessionIo): ServeFiles =>
  async (files, closed) => {
    if (transfer !== 'sftp') return serveScp(transfer, stdin, stdout, files, closed);
    await serveSftp(stdin, stdout, files, closed);
    return 0;
  };
