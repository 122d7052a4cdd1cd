/** Starts the gateway's own Node inside a container, as one of its users, without putting anything into it. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { ContainerDetails, EngineApi } from '../engine-api.ts';
import { engineStatus, shortReason } from '../engine-errors.ts';
import { shellArgv } from '../launch.ts';
import type { SessionUser } from '../passwd.ts';
import { isPaused } from '../paused.ts';
import { openAttachedStdio } from '../sidecar/attached-stdio.ts';
import type { SidecarImage } from '../sidecar/image.ts';
import { unblocked } from '../sidecar/inside/unblocked.ts';
import { greet, type InsideConnection, speak } from '../sidecar/inside-connection.ts';
import { byLanes } from './by-lanes.ts';
import { type Holder, openHolder } from './open-holder.ts';

export interface ResidentPlace {
  readonly details: ContainerDetails;
  readonly user: SessionUser;
  readonly gid: number;
  /** A shell, if the image has one. */
  readonly shell: string | undefined;
}

const nodeFlags = [
  // As little memory as it can do with: it counts as the container's.
  '--max-old-space-size=64',
  '--max-semi-space-size=1',
  '--v8-pool-size=0',
  // Node would resolve /proc/PID/root to /, which it is not.
  '--preserve-symlinks',
  '--preserve-symlinks-main',
];
const startWithinMs = 10_000;

/**
 * Node lets itself open more files than its programs should inherit: it is told what the limit was. And where memory runs out,
 * it goes before anything of the container's: it is told what its programs are to have in place of that.
 */
const startScript = `
{ read -r score </proc/self/oom_score_adj && echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null
POSTERN_OOM_SCORE=$score POSTERN_OPEN_FILES=$(ulimit -S -n) exec "$@"
`;

/** Started and answering; it needs nothing of the holder any more, which is gone. */
export async function openResident(
  engine: EngineApi,
  image: SidecarImage,
  place: ResidentPlace,
  log: Logger,
): Promise<{ readonly inside: InsideConnection; readonly openFiles: string }> {
  const { details, user, gid } = place;
  const holder = await openHolder(engine, image, details.Id, { uid: user.uid, gid });
  try {
    const create = (environment: readonly string[]) =>
      engine.createExec(details.Id, {
        argv: argvOf(image, holder.root, place.shell),
        env: [...environment, `POSTERN_SHELL=${JSON.stringify(pipeShell(place.shell))}`],
        user: user.engineUser,
        tty: false,
        stdin: true,
        workingDir: '/',
      });
    const execId = await create(withoutEnvironment(details)).catch((error) => {
      if (engineStatus(error) !== 400) throw error;
      return create(withEmptyEnvironment(details));
    });
    const said: string[] = [];
    const stdio = openAttachedStdio(await engine.startExec(execId, false), (text) => {
      if (said.length < 20) said.push(text);
      log.debug({ container: details.Id, text: shortReason(text) }, 'a resident wrote to stderr');
    });
    stdio.on('error', () => {});
    const carrier = await carrierOf(stdio, holder).catch(() => stdio);
    const session = await greet(carrier, startWithinMs).catch((error) => {
      stdio.destroy();
      throw new Error(`a resident did not start: ${shortReason(said.join(' '))}`, { cause: error });
    });
    // It ends with its stdin, whatever it speaks over.
    const patience = { isPaused: () => isPaused(engine, details.Id) };
    const connection = speak(session, carrier, () => stdio.destroy(), patience);
    connection.onClose(() => holder.passage?.close());
    const inside = holder.passage && carrier !== stdio ? byLanes(connection, holder.passage) : connection;
    const { stream, headers } = await inside.ask('/hello').catch((error) => {
      inside.close();
      throw error;
    });
    stream.destroy();
    return { inside, openFiles: openFilesOf(details, headers['x-open-files']) };
  } catch (error) {
    holder.passage?.close();
    throw error;
  } finally {
    await holder.remove().catch(() => {});
  }
}

/** Tells the resident where else than by stdin and stdout it may speak, and resolves to where it does. */
async function carrierOf(stdio: Duplex, { passage, root }: Holder): Promise<Duplex> {
  const expected = passage?.expect();
  stdio.write(expected ? `${expected.token} ${root}/passage/socket\n` : '\n');
  if (!expected) return stdio;
  const begins = new Promise<Duplex>((resolve) => {
    stdio.once('data', (chunk: Buffer) => {
      stdio.pause();
      stdio.unshift(chunk);
      resolve(stdio);
    });
    stdio.once('close', () => resolve(stdio));
  });
  try {
    const first = await Promise.race([expected.arrived(startWithinMs), begins]);
    if (first === stdio) return stdio;
    const carrier = unblocked(first as Socket);
    stdio.resume().once('close', () => carrier.destroy());
    return carrier;
  } finally {
    expected.forget();
  }
}

function argvOf(image: SidecarImage, root: string, shell: string | undefined): readonly string[] {
  const program = [
    `${root}${image.loader}`,
    '--library-path',
    `${root}${image.libraries}`,
    `${root}${image.node}`,
    ...nodeFlags,
    `${root}${image.program('resident')}`,
  ];
  return shell === undefined ? program : [...shellArgv(shell), startScript, 'postern', ...program];
}

/** What starts a shell that reads its script from stdin. */
const pipeShell = (shell: string | undefined) =>
  shell === undefined ? null : [...shellArgv(shell).slice(0, -1), '-s'];

/**
 * The container's own variables are for its programs, which get them with each session: LD_PRELOAD or NODE_OPTIONS
 * would reach into ours. A name without a value takes it away, in the engine's reading.
 */
function withoutEnvironment({ Config }: ContainerDetails): readonly string[] {
  return (Config.Env ?? []).map((each) => each.split('=', 1)[0] ?? '').filter(Boolean);
}

/** Podman takes none away; empty ones mean nothing to the shell, its loader and Node. */
const withEmptyEnvironment = (details: ContainerDetails): readonly string[] =>
  withoutEnvironment(details).map((name) => (name === 'PATH' ? `PATH=${usualPath}` : `${name}=`));

const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The limit as a shell says it. Where the container has one of its own, that: runc does not always set it in time. */
function openFilesOf({ HostConfig }: ContainerDetails, told: unknown): string {
  const own = HostConfig.Ulimits?.find(({ Name }) => Name === 'nofile')?.Soft;
  const limit = String(own ?? told);
  return /^(\d{1,19}|unlimited)$/.test(limit) ? limit : '';
}
