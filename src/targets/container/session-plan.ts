/** What one request becomes inside a container: which program, as whom, where, with what around it. */
import { GatewayError } from '../../errors.ts';
import type { Pty, SessionContext, SessionRequest } from '../../sessions/session.ts';
import type { ContainerFacts } from './container-facts.ts';
import { type Launch, launchOf, shellArgv, terminalSize } from './launch.ts';
import type { SessionUser } from './passwd.ts';
import { parseScpCommand, type ScpCommand } from './scp/scp-command.ts';
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
  /** What can run the signal scripts; undefined: nothing, so signals do not reach the program. */
  readonly signalShell: string | undefined;
}

/** SFTP, or the other end of `scp -O`. */
export type FilesProtocol = 'sftp' | ScpCommand;

export interface PlanRules {
  readonly isAcceptedEnv: (name: string) => boolean;
  /** Words of a command line for images without a shell. */
  readonly splitWords: (line: string) => readonly string[];
  /** Not what was asked for is to run, but the script through which the gateway reaches files. */
  readonly asHelper?: boolean;
}

const usualShells = ['/bin/bash', '/bin/sh'];
/** By their names, a version behind them left out. Of what else may be a login shell (a menu, git-shell) `-l` is no option. */
const shellsThatLogIn = new Set(
  'sh ash bash rbash dash yash zsh rzsh ksh rksh mksh lksh oksh loksh csh tcsh fish nu xonsh pwsh'.split(' '),
);
/** What runs the launcher: sh reads no start-up files when it is not interactive. */
export const launcherShells = ['/bin/sh', '/usr/bin/sh', '/bin/bash', '/usr/bin/bash', '/busybox/sh'];
const sftpServers = [
  '/usr/lib/openssh/sftp-server',
  '/usr/libexec/openssh/sftp-server',
  '/usr/lib/ssh/sftp-server',
  '/usr/libexec/sftp-server',
  '/usr/lib/sftp-server',
];
const scpPrograms = ['/usr/bin/scp', '/bin/scp', '/usr/local/bin/scp'];
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
  const pty: Pty | undefined = rules.asHelper || request.start.kind === 'subsystem' ? undefined : request.pty;
  const [user, launcher] = await Promise.all([
    facts.getUser(requestedUser),
    facts.findProgram(launcherShells),
  ]);
  const shell = await findShell(facts, user);
  const program = rules.asHelper
    ? helperProgram(facts, launcher)
    : await programOf(facts, request, shell, rules);
  const folder = folderOf(facts, user);
  return {
    launch: launchOf({ shell: launcher, program, folders: [folder, user.home], pty }),
    env: envFor(rules, {
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
    tty: pty !== undefined,
    size: pty && terminalSize(pty.size),
    sizeOf: terminalSize,
    bareFolder: launcher || !(await facts.hasFolder(folder)) ? '/' : folder,
    signalShell: launcher,
  };
}

/** The helper's programs must say in English what they failed with, and take any bytes for a name. */
function envFor({ asHelper }: PlanRules, facts: Parameters<typeof sessionEnvironment>[0]) {
  const env = sessionEnvironment(facts);
  return asHelper ? [...env.filter((each) => !/^(LC_|LANG)/.test(each)), 'LC_ALL=C'] : env;
}

/** What runs the command lines of that user. */
export const findShell = (facts: ContainerFacts, user: SessionUser) =>
  facts.findProgram([user.shell, ...usualShells]);

/** Where sessions of that user begin, if there is such a folder. */
export function folderOf(facts: ContainerFacts, { home }: SessionUser): string {
  const folder = facts.labels[workdirLabel];
  return folder?.startsWith('/') ? folder : home;
}

/** What the gateway has to speak by itself: undefined where a program of the image does it, or it is not about files. */
export async function findFilesProtocol(
  facts: ContainerFacts,
  { start }: SessionRequest,
): Promise<FilesProtocol | undefined> {
  if (start.kind === 'subsystem') return (await facts.findProgram(sftpServers)) ? undefined : 'sftp';
  const scp = start.kind === 'exec' ? parseScpCommand(start.command) : undefined;
  return scp && !(await facts.findProgram(scpPrograms)) ? scp : undefined;
}

function takesLogin(shell: string): boolean {
  const name = shell.slice(shell.lastIndexOf('/') + 1);
  return shellsThatLogIn.has(name.replace(/-?[\d.]+$/, ''));
}

function helperProgram({ name }: ContainerFacts, launcher: string | undefined): readonly string[] {
  if (!launcher) throw new GatewayError('no-sftp-server', { name });
  return [...shellArgv(launcher), helperScript, 'postern'];
}

async function programOf(
  facts: ContainerFacts,
  { start }: SessionRequest,
  shell: string | undefined,
  rules: PlanRules,
): Promise<readonly string[]> {
  const { name } = facts;
  if (start.kind === 'subsystem') {
    const server = await facts.findProgram(sftpServers);
    if (!server) throw new GatewayError('no-sftp-server', { name });
    return [server];
  }
  if (start.kind === 'shell') {
    if (!shell) throw new GatewayError('no-shell', { name });
    return takesLogin(shell) ? [shell, '-l'] : [shell];
  }
  if (shell) return [shell, '-c', start.command];
  const words = rules.splitWords(start.command);
  if (words.length === 0) throw new GatewayError('no-shell', { name });
  return words;
}
