/** One client of the soak, for one piece of work: what it may wait for has an end, and so has the client. */
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import ssh2, { type Client, type ClientChannel } from 'ssh2';

export interface Ran {
  /** Undefined: the connection was gone before it came. */
  readonly status: number | undefined;
  readonly output: string;
}

export class Hung extends Error {}

/** Nothing that the gateway does may take this long, whatever is killed meanwhile. */
const patienceMs = 60_000;

export interface SoakClient {
  readonly client: Client;
  run(command: string, options?: { stdin?: string; pty?: boolean }): Promise<Ran>;
  /** As kill -9 leaves it: no goodbye. */
  vanish(): void;
}

/** Rejects when it cannot log in; undefined results, not rejections, are what happens to a client that is gone. */
export async function openClient(port: number, keyFile: string, username: string): Promise<SoakClient> {
  const client = new ssh2.Client();
  const socket = createConnection({ port, host: '127.0.0.1' });
  let isGone = false;
  client.once('close', () => {
    isGone = true;
  });
  await inTime(
    `a login as ${username}`,
    new Promise<void>((resolve, reject) => {
      client
        .once('ready', resolve)
        .on('error', reject)
        .once('close', () => reject(new Error('closed')));
      const privateKey = readFileSync(keyFile);
      client.connect({ sock: socket, username, privateKey, readyTimeout: 2 * patienceMs });
    }),
  );
  const run: SoakClient['run'] = (command, { stdin = '', pty = false } = {}) =>
    inTime(
      command,
      new Promise<Ran>((resolve) => {
        let status: number | undefined;
        let output = '';
        const end = () => resolve({ status, output });
        if (isGone) return end();
        client.once('close', end);
        client.exec(command, { pty }, (error, stream: ClientChannel) => {
          if (error) return end();
          stream.on('data', (chunk: Buffer) => {
            output += chunk;
          });
          stream.stderr.resume();
          stream.on('error', () => {});
          stream.on('exit', (code: number | null) => {
            status = code ?? 255;
          });
          stream.on('close', () => {
            client.off('close', end);
            end();
          });
          stream.end(stdin);
        });
      }),
    );
  return { client, run, vanish: () => socket.resetAndDestroy() };
}

export async function inTime<Value>(what: string, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Hung(`no end of ${what} in ${patienceMs / 1000} s`)), patienceMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
