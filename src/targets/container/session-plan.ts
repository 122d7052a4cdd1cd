/** What one request becomes inside a container: which program, as whom, where, with what around it. */
import { GatewayError } from '../../errors.ts';
import type { Pty, SessionContext, SessionRequest } from '../../sessions/session.ts';
import type { ContainerFacts } from './container-facts.ts';
import { type Launch, launchOf, shellArgv, terminalSize } from './launch.ts';
import type { SessionUser } from './passwd.ts';
import { sessionEnvironment } from './session-environment.ts';
import { helperScript } from './sftp/helper-script.ts';

export interface SessionPlan {
  readonly launch: Launch;
  readonly env: readonly string[];
  readonly user: SessionUser;
  readonly tty: boolean;
  readonly size: ReturnType<typeof terminalSize> | undefined;
  readonly sizeOf: typeof terminalSize;
  /** Where a program without a launcher starts. */
  readonly bareFolder: string;
  /** Who answers SFTP: nothing but that program, or the gateway through the helper script that the program is. */
  readonly files: 'program' | 'helper';
  /** What can run the signal scripts; undefined: nothing, so signals do not reach the program. */
  readonly signalShell: string | undefined;
}

export interface PlanRules {
  readonly isAcceptedEnv: (name: string) => boolean;
  /** Words of a command line for images without a shell. */
  readonly splitWords: (line: string) => readonly string[];
}

const usualShells = ['/bin/bash', '/bin/sh'];
/** What runs the launcher: sh reads no start-up files when it is not interactive. */
export const launcherShells = ['/bin/sh', '/usr/bin/sh', '/bin/bash', '/usr/bin/bash', '/busybox/sh'];
const sftpServers = [
  '/usr/lib/openssh/sftp-server',
  '/usr/libexec/openssh/sftp-server',
  '/usr/lib/ssh/sftp-server',
  '/usr/libexec/sftp-server',
  '/usr/lib/sftp-server',
];
const workdirLabel = 'rexec.workdir';

/** Throws no-such-user, no-shell, no-sftp-server. */
export async function planSession(
  facts: ContainerFacts,
  requestedUser: string | undefined,
  request: SessionRequest,
  context: SessionContext,
  rules: PlanRules,
): Promise<SessionPlan> {
  // A file transfer through a terminal would be translated to pieces.
  const pty: Pty | undefined = request.start.kind === 'subsystem' ? undefined : request.pty;
  const [user, launcher] = await Promise.all([
    facts.getUser(requestedUser),
    facts.findProgram(launcherShells),
  ]);
  const shell = await facts.findProgram([user.shell, ...usualShells]);
  const program = await programOf(facts, request, shell, launcher, rules);
  const files = program.includes(helperScript) ? 'helper' : 'program';
  const folder = folderOf(facts, user);
  return {
    launch: launchOf({ shell: launcher, program, folders: [folder, user.home], pty }),
    env: envFor(files, {
      user,
      shell,
      pty,
      context,
      requested: request.env,
      originalCommand: request.originalCommand,
      agentSocket: request.agentSocket,
      isAccepted: rules.isAcceptedEnv,
    }),
    user,
    files,
    tty: pty !== undefined,
    size: pty && terminalSize(pty.size),
    sizeOf: terminalSize,
    bareFolder: launcher || !(await facts.hasFolder(folder)) ? '/' : folder,
    signalShell: launcher,
  };
}

/** The helper's programs must say in English what they failed with, and take any bytes for a name. */
function envFor(files: SessionPlan['files'], facts: Parameters<typeof sessionEnvironment>[0]) {
  const env = sessionEnvironment(facts);
  return files === 'helper' ? [...env.filter((each) => !/^(LC_|LANG)/.test(each)), 'LC_ALL=C'] : env;
}

/** Where sessions of that user begin, if there is such a folder. */
export function folderOf(facts: ContainerFacts, { home }: SessionUser): string {
  const folder = facts.labels[workdirLabel];
  return folder?.startsWith('/') ? folder : home;
}

export const findSftpServer = (facts: ContainerFacts) => facts.findProgram(sftpServers);

async function programOf(
  facts: ContainerFacts,
  { start }: SessionRequest,
  shell: string | undefined,
  launcher: string | undefined,
  rules: PlanRules,
): Promise<readonly string[]> {
  const { name } = facts;
  if (start.kind === 'subsystem') {
    const server = await findSftpServer(facts);
    if (server) return [server];
    if (launcher) return [...shellArgv(launcher), helperScript, 'postern'];
    throw new GatewayError('no-sftp-server', { name });
  }
  if (start.kind === 'shell') {
    if (!shell) throw new GatewayError('no-shell', { name });
    return [shell, '-l'];
  }
  if (shell) return [shell, '-c', start.command];
  const words = rules.splitWords(start.command);
  if (words.length === 0) throw new GatewayError('no-shell', { name });
  return words;
}
