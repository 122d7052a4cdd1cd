/**
 * What sessions need to know about a container: state, users, which programs exist. Read by
 * the archive API, never by running something, and kept until the container starts anew.
 */
import { GatewayError } from '../../errors.ts';
import { findContainerFile } from './archive-file.ts';
import type { ContainerDetails, EngineApi, PathStat } from './engine-api.ts';
import { engineStatus, translateEngineError } from './engine-errors.ts';
import { findSessionUser, type PasswdEntry, parsePasswd, type SessionUser } from './passwd.ts';

/** One container, from one start to the next. */
export interface ContainerFacts {
  readonly id: string;
  readonly name: string;
  readonly startedAt: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `NAME=value`, as the container was made with it. */
  readonly env: readonly string[];
  /** Throws `no-such-user`. */
  getUser(requested: string | undefined): Promise<SessionUser>;
  /** The home of everybody in passwd, and of `user` under the empty name. */
  homes(user: SessionUser): Promise<ReadonlyMap<string, string>>;
  /** The first of `paths` that is a program; what was found is remembered. */
  findProgram(paths: readonly string[]): Promise<string | undefined>;
  hasFolder(path: string): Promise<boolean>;
}

export interface ContainerFactsSource {
  /** Facts of a running container. Throws `container-gone`, `container-not-running`, `engine-unavailable`. */
  getFacts(id: string, name: string): Promise<ContainerFacts>;
  /** Of a container in any state, as its image or whoever made it says. Throws `container-gone`, `engine-unavailable`. */
  getDefaultUser(id: string, name: string): Promise<string>;
  /** Why a session in that start of the container ended, if the container is to blame. */
  findEnding(facts: ContainerFacts): Promise<GatewayError | undefined>;
}

const maxContainers = 1_000;

// Go's os.FileMode.
const directoryBit = 2 ** 31;
const executableBits = 0o111;

interface Cached {
  readonly startedAt: string;
  readonly programs: Map<string, Promise<boolean>>;
  passwd: Promise<readonly PasswdEntry[]> | undefined;
}

export function createContainerFactsSource(engine: EngineApi): ContainerFactsSource {
  const cache = new Map<string, Cached>();

  const inspect = async (id: string, name: string): Promise<ContainerDetails> => {
    try {
      return await engine.inspect(id);
    } catch (error) {
      if (engineStatus(error) === 404) throw new GatewayError('container-gone', { name }, { cause: error });
      throw translateEngineError(error);
    }
  };

  const cachedFor = (id: string, startedAt: string): Cached => {
    const known = cache.get(id);
    if (known?.startedAt === startedAt) return known;
    const fresh: Cached = { startedAt, programs: new Map(), passwd: undefined };
    cache.delete(id);
    cache.set(id, fresh);
    if (cache.size > maxContainers) cache.delete(cache.keys().next().value!);
    return fresh;
  };

  return {
    async getFacts(id, name) {
      const details = await inspect(id, name);
      if (details.State.Status !== 'running') {
        throw new GatewayError('container-not-running', { name, state: details.State.Status });
      }
      return factsOf(engine, details, cachedFor(id, details.State.StartedAt));
    },
    async getDefaultUser(id, name) {
      const { Config } = await inspect(id, name);
      const [user = ''] = (Config.User ?? '').split(':');
      return user === '' || user === '0' ? 'root' : user;
    },
    async findEnding({ id, name, startedAt }) {
      try {
        const { State } = await inspect(id, name);
        const same = State.StartedAt === startedAt;
        return State.Running && same ? undefined : new GatewayError('container-ended', { name });
      } catch (error) {
        return translateEngineError(error);
      }
    },
  };
}

function factsOf(engine: EngineApi, details: ContainerDetails, cached: Cached): ContainerFacts {
  const id = details.Id;
  const name = details.Name.replace(/^\//, '');
  const readPasswd = () => {
    const reading = findContainerFile(engine, id, '/etc/passwd').then((file) =>
      parsePasswd(file?.toString() ?? ''),
    );
    reading.catch(() => {
      cached.passwd = undefined;
    });
    cached.passwd = reading;
    return reading;
  };
  const isProgram = (path: string) => {
    const asked = cached.programs.get(path) ?? findIsProgram(engine, id, path);
    cached.programs.set(path, asked);
    asked.catch(() => cached.programs.delete(path));
    return asked;
  };
  return {
    id,
    name,
    startedAt: cached.startedAt,
    labels: details.Config.Labels ?? {},
    env: details.Config.Env ?? [],
    async getUser(requested) {
      const configured = details.Config.User ?? '';
      const find = (entries: readonly PasswdEntry[]) => findSessionUser(entries, requested, configured);
      const known = cached.passwd;
      // A user who is missing may have been added since passwd was read.
      const user = find(await (known ?? readPasswd())) ?? (known && find(await readPasswd()));
      if (user) return user;
      throw new GatewayError('no-such-user', { user: requested ?? configured, target: name });
    },
    async homes(user) {
      const entries = await (cached.passwd ?? readPasswd());
      return new Map([...entries.map((each) => [each.name, each.home] as const), ['', user.home]]);
    },
    async findProgram(paths) {
      for (const path of paths) {
        if (await isProgram(path)) return path;
        // Somebody may install it while the container runs; what is missing is looked for again.
        cached.programs.delete(path);
      }
      return undefined;
    },
    hasFolder: async (path) => ((await findThing(engine, id, path))?.mode ?? 0) >= directoryBit,
  };
}

async function findIsProgram(engine: EngineApi, id: string, path: string): Promise<boolean> {
  const thing = await findThing(engine, id, path);
  return thing !== undefined && thing.mode < directoryBit && (thing.mode & executableBits) !== 0;
}

/** What `path` leads to. The engine resolves links wholly and inside the container: one step is enough. */
async function findThing(engine: EngineApi, id: string, path: string): Promise<PathStat | undefined> {
  const find = (wanted: string) =>
    engine.findPath(id, wanted).catch((error) => {
      throw translateEngineError(error);
    });
  const named = await find(path);
  return named?.linkTarget ? find(named.linkTarget) : named;
}
