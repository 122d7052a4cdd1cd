/** What the clients of the soak do. Each work either goes wrong as it may while things are killed, or right to the byte. */
import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { SFTPWrapper } from 'ssh2';
import { makePublicKey } from '../lobby.ts';
import { inTime, openClient, type Ran, type SoakClient } from './connection.ts';
import type { Model, Outcome } from './model.ts';
import type { Random } from './random.ts';

export interface SoakWorld {
  readonly port: number;
  readonly httpUrl: string;
  readonly token: string;
  /** Files of private keys. */
  readonly members: readonly { readonly key: string; readonly keys: Model }[];
  readonly hosts: Model;
  readonly containers: readonly string[];
  readonly random: Random;
}

/** True: done. False: refused or cut off, as may be while something is gone. Throws where an answer is wrong. */
export type Work = (world: SoakWorld, member: SoakWorld['members'][number]) => Promise<boolean>;

/** One in this many clients is killed while it works. */
const killedOneIn = 6;
const maxRows = 30;

const outcomeOf = ({ status }: Ran): Outcome =>
  status === undefined ? undefined : status === 0 ? 'done' : 'refused';

/** Works with a client that ends afterwards, if it is not killed before. */
async function withClient(
  { port, random }: SoakWorld,
  key: string,
  username: string,
  work: (client: SoakClient) => Promise<boolean>,
): Promise<boolean> {
  const isKilled = random.whole(killedOneIn) === 0;
  const killAfterMs = random.whole(150);
  const client = await openClient(port, key, username);
  const timer = isKilled ? setTimeout(client.vanish, killAfterMs) : undefined;
  try {
    return await work(client);
  } finally {
    clearTimeout(timer);
    client.client.destroy();
  }
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('base64');

let made = 0;
const newName = (kind: string) => `${kind}${++made}`;

const changeKeys: Work = (world, { key, keys }) =>
  withClient(world, key, 'somebody', async (client) => {
    const { random } = world;
    const [fingerprint, name] = random.of(keys.rows().filter((row) => row[1].startsWith('key'))) ?? [];
    const choice = keys.rows().length > maxRows ? 0 : random.next();
    if (fingerprint && choice < 0.3) {
      const outcome = outcomeOf(await client.run(`ssh-key remove ${fingerprint}`));
      keys.removed(fingerprint, outcome);
      return outcome === 'done';
    }
    const next = newName('key');
    if (fingerprint && choice < 0.5) {
      const outcome = outcomeOf(await client.run(`ssh-key rename ${name} ${next}`));
      keys.renamed(fingerprint, next, outcome);
      return outcome === 'done';
    }
    const publicKey = makePublicKey();
    const blob = Buffer.from(publicKey.split(' ')[1] as string, 'base64');
    const id = `SHA256:${sha256(blob).replace(/=+$/, '')}`;
    const outcome = outcomeOf(await client.run(`ssh-key add --name=${next}`, { stdin: `${publicKey}\n` }));
    keys.added(id, next, outcome);
    return outcome === 'done';
  });

const changeHosts: Work = (world, { key }) =>
  withClient(world, key, 'somebody', async (client) => {
    const { random, hosts } = world;
    const old = random.of(hosts.rows())?.[0];
    if (old && (random.next() < 0.4 || hosts.rows().length > maxRows)) {
      const outcome = outcomeOf(await client.run(`host remove ${old}`));
      hosts.removed(old, outcome);
      return outcome === 'done';
    }
    const name = newName('host');
    const address = `root@192.0.2.${1 + random.whole(250)}`;
    const hostKey = makePublicKey('').trim();
    const outcome = outcomeOf(
      await client.run(`host add ${name} ${address} --host-key=-`, { stdin: `${hostKey}\n` }),
    );
    hosts.added(name, name, outcome);
    return outcome === 'done';
  });

const whoami: Work = (world, { key }) =>
  withClient(world, key, 'somebody', async (client) => (await client.run('whoami')).status === 0);

const inContainer = ({ random, containers }: SoakWorld) => `app+rexec-${random.of(containers)}`;

const runProgram =
  (pty: boolean): Work =>
  (world, { key }) =>
    withClient(world, key, inContainer(world), async (client) => {
      const word = newName('word');
      const { status, output } = await client.run(`${pty ? 'tty' : 'cat'}; echo ${word}; exit 7`, { pty });
      if (status !== 7) return false;
      if (output.replace(/\r/g, '').trimEnd().endsWith(word)) return true;
      throw new Error(`status 7, and the output is ${JSON.stringify(output)}`);
    });

const passMuch: Work = (world, { key }) =>
  withClient(world, key, inContainer(world), async (client) => {
    const stdin = 'x'.repeat(300_000 + world.random.whole(300_000));
    const { status, output } = await client.run('cat', { stdin });
    if (status !== 0) return false;
    if (sha256(output) === sha256(stdin)) return true;
    throw new Error(`cat gave back ${output.length} of ${stdin.length} bytes, and status 0`);
  });

const moveFiles: Work = (world, { key }) =>
  withClient(world, key, inContainer(world), async ({ client }) => {
    const content = Buffer.alloc(100_000, newName('content'));
    const path = `/tmp/${newName('file')}`;
    const read = await inTime(
      `moving ${path}`,
      new Promise<Buffer | undefined>((resolve) => {
        client.once('close', () => resolve(undefined));
        client.sftp((noSftp, sftp: SFTPWrapper) => {
          if (noSftp) return resolve(undefined);
          sftp.on('error', () => resolve(undefined)).on('close', () => resolve(undefined));
          sftp.writeFile(path, content, (unwritten) => {
            if (unwritten) return resolve(undefined);
            sftp.readFile(path, (unread, data) => {
              if (unread) return resolve(undefined);
              sftp.unlink(path, () => resolve(data));
            });
          });
        });
      }),
    );
    if (read === undefined) return false;
    if (read.equals(content)) return true;
    throw new Error(`${path} holds ${read.length} bytes, and ${content.length} were written`);
  });

const forward: Work = (world, { key }) =>
  withClient(world, key, inContainer(world), async ({ client }) => {
    const word = newName('forwarded');
    const echoed = await inTime(
      'a forward',
      new Promise<string | undefined>((resolve) => {
        client.once('close', () => resolve(undefined));
        client.forwardOut('127.0.0.1', 1, '127.0.0.1', 7, (error, stream) => {
          if (error) return resolve(undefined);
          text(stream).then(resolve, () => resolve(undefined));
          stream.end(word);
        });
      }),
    );
    // Cut off in between it may be short, but never other.
    if (echoed === undefined || (echoed !== word && word.startsWith(echoed))) return false;
    if (echoed === word) return true;
    throw new Error(`a forward gave back ${JSON.stringify(echoed)} for ${word}`);
  });

const askByHttp: Work = async ({ httpUrl, token, random }) => {
  const abort = new AbortController();
  const timer =
    random.whole(killedOneIn) === 0 ? setTimeout(() => abort.abort(), random.whole(20)) : undefined;
  try {
    const headers = { authorization: `Bearer ${token}` };
    const asked = fetch(`${httpUrl}/exec`, { method: 'POST', headers, body: 'whoami', signal: abort.signal });
    const answer = await inTime('POST /exec', asked);
    await inTime('an answer to POST /exec', answer.text());
    if (answer.status >= 400) throw new Error(`POST /exec whoami was answered with ${answer.status}`);
    return true;
  } catch (error) {
    if (abort.signal.aborted) return false;
    throw error;
  } finally {
    clearTimeout(timer);
  }
};

/** By name, in the order in which they take turns. */
export const works: ReadonlyMap<string, Work> = new Map([
  ['keys', changeKeys],
  ['exec', runProgram(false)],
  ['login', whoami],
  ['pty', runProgram(true)],
  ['http', askByHttp],
  ['keys again', changeKeys],
  ['files', moveFiles],
  ['forward', forward],
  ['hosts', changeHosts],
  ['bytes', passMuch],
]);
