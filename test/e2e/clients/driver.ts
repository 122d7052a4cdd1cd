/** Libraries have no program: each gets a small one, and all of these take the same arguments. */
import { type Outcome, runProgram } from '../../support/ssh-client.ts';
import { type Client, locally, type Visit } from './client.ts';

/** `exec=COMMAND`, `forward=PORT`, `put=LOCAL remote=REMOTE` or `get=REMOTE local=LOCAL`, and the visit as `name=value`. */
function argumentsOf(visit: Visit, work: Readonly<Record<string, string>>): string[] {
  const { port, login, key, knownHosts, pty, env, keepaliveSeconds, rekeyBytes } = visit;
  const values = {
    ...{ port, login, key, knownHosts, ...work },
    ...(pty ? { pty: 1 } : {}),
    ...(keepaliveSeconds === undefined ? {} : { keepalive: keepaliveSeconds }),
    ...(rekeyBytes === undefined ? {} : { rekey: rekeyBytes }),
  };
  const variables = Object.entries(env ?? {}).map(([name, value]) => `env.${name}=${value}`);
  return [...Object.entries(values).map(([name, value]) => `${name}=${value}`), ...variables];
}

export interface Driver {
  readonly name: string;
  readonly version: () => Promise<string>;
  /** Program and first arguments; compiled by now where that is needed. */
  readonly command: () => Promise<readonly string[]>;
  /** The key in a form that the library reads; as ssh-keygen writes it unless said otherwise. */
  readonly keyFor?: (visit: Visit) => Promise<string>;
  readonly limits?: Client['limits'];
}

export function drivenBy({
  name,
  version,
  command,
  keyFor = async ({ key }) => key,
  limits = {},
}: Driver): Client {
  const run = async (visit: Visit, work: Readonly<Record<string, string>>): Promise<Outcome> => {
    const [program, ...first] = await command();
    const args = argumentsOf({ ...visit, key: await keyFor(visit) }, work);
    return runProgram(program as string, [...first, ...args], locally(visit));
  };
  return {
    name,
    version,
    exec: (visit, exec) => run(visit, { exec }),
    forward: (visit, port) => run(visit, { forward: String(port) }),
    put: (visit, put, remote) => run(visit, { put, remote }),
    get: (visit, get, local) => run(visit, { get, local }),
    limits,
  };
}

/** What a program prints, trimmed; for the version of a library. */
export async function printed(program: string, ...args: readonly string[]): Promise<string> {
  return (await runProgram(program, args)).text.trim();
}

/** A file beside the drivers. */
export const besideDrivers = (name: string): string => new URL(name, import.meta.url).pathname;
