/** The real Docker Engine that test/support/setup/ made ready, and containers in it. */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import Docker from 'dockerode';

/** Everything the tests make in an engine carries this label, and the process id of the run that made it. */
export const testLabel = 'postern.test';
export const runLabel = 'postern.test.run';

/** Images that the set-up made; no registry is asked. */
export const images = {
  /** Every applet of busybox; users root and app (1000). */
  busybox: 'postern-test/busybox:latest',
  /** Debian with bash, sftp-server, ssh and procps; users root and app (1000, also in group extra). */
  debian: 'postern-test/debian:latest',
  /** Busybox with alice (1000, in several groups), homeless and oddshell, who lack what their passwd lines say. */
  users: 'postern-test/users:latest',
  /** Nothing but /bin/cat, echo, sleep and true: no shell, no users. */
  noshell: 'postern-test/noshell:latest',
} as const;

/** Where the engine listens, as DOCKER_HOST says it; the set-up sets that. */
export function engineHost(): string {
  return process.env['DOCKER_HOST'] || 'unix:///var/run/docker.sock';
}

/** The path of the engine's socket. */
export function engineSocket(): string {
  const host = engineHost();
  if (!host.startsWith('unix://')) throw new Error(`this test needs the engine's unix socket, not ${host}`);
  return host.slice('unix://'.length);
}

/** A client of the engine; `DOCKER_HOST` is read when it is made. */
export function openEngine(host = engineHost()): Docker {
  if (host.startsWith('unix://')) return new Docker({ socketPath: host.slice('unix://'.length) });
  const { hostname, port } = new URL(host);
  return new Docker({ host: hostname, port: Number(port) });
}

/** Whether an engine answers at `host` within two seconds. */
export function engineAnswers(host: string): Promise<boolean> {
  const address = host.startsWith('unix://')
    ? { socketPath: host.slice('unix://'.length) }
    : { host: new URL(host).hostname, port: new URL(host).port };
  return new Promise((resolve) => {
    const ping = request({ ...address, path: '/_ping', timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy());
    ping.on('error', () => resolve(false));
    ping.end();
  });
}

export interface TestContainerOptions {
  /** `busybox` unless said otherwise. */
  readonly image?: keyof typeof images | (string & {});
  /** Made up when unset; unique either way only if you say so. */
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** The image's user unless said otherwise: root. */
  readonly user?: string;
  /** Something that stays, unless said otherwise. */
  readonly cmd?: readonly string[];
  readonly env?: readonly string[];
  readonly workingDir?: string;
  /** `none`, `host`, `container:ID`, …; the engine's default network when unset. */
  readonly network?: string;
  readonly binds?: readonly string[];
  /** Created, but not started. */
  readonly stopped?: boolean;
}

export interface TestContainer {
  readonly id: string;
  readonly name: string;
}

/** Makes a container that the end of the run removes, whatever became of the test. */
export async function startContainer(options: TestContainerOptions = {}): Promise<TestContainer> {
  const image = options.image ?? 'busybox';
  const name = options.name ?? `postern-test-${randomBytes(4).toString('hex')}`;
  const container = await openEngine().createContainer({
    name,
    Image: image in images ? images[image as keyof typeof images] : image,
    Cmd: [...(options.cmd ?? (image === 'noshell' ? ['/bin/cat'] : ['sleep', '1000000']))],
    Env: [...(options.env ?? [])],
    Labels: { [testLabel]: '1', [runLabel]: process.env['TEST_RUN_ID'] ?? '', ...options.labels },
    // Keeps `cat` waiting, which is all that an image without shell and sleep can do.
    OpenStdin: image === 'noshell',
    // Their pid 1 takes no notice of SIGTERM, and ten seconds per test is too long to wait.
    StopSignal: 'SIGKILL',
    HostConfig: { NetworkMode: options.network ?? 'default', Binds: [...(options.binds ?? [])] },
    ...(options.user === undefined ? {} : { User: options.user }),
    ...(options.workingDir === undefined ? {} : { WorkingDir: options.workingDir }),
  });
  if (!options.stopped) await container.start();
  return { id: container.id, name };
}

/** Removes a container by id or name, running or not; one that is gone is no error. */
export async function removeContainer(
  container: TestContainer | string,
  engine: Docker = openEngine(),
): Promise<void> {
  const id = typeof container === 'string' ? container : container.id;
  try {
    await engine.getContainer(id).remove({ force: true, v: true });
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    // 409: somebody is removing it already.
    if (statusCode !== 404 && statusCode !== 409) throw error;
  }
}

/** Removes the containers of the runs for which `isOver` says so. */
export async function removeContainersOf(host: string, isOver: (run: string) => boolean): Promise<void> {
  const engine = openEngine(host);
  const found = await engine.listContainers({ all: true, filters: { label: [`${testLabel}=1`] } });
  const over = found.filter(({ Labels }) => isOver(Labels[runLabel] ?? ''));
  await Promise.all(over.map(({ Id }) => removeContainer(Id, engine)));
}
