/** A gateway as a process of its own, and what it holds: memory, descriptors, processes, files of its temporary folder. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { giveHostKeys } from './host-keys.ts';
import { type KeyPair, makeKeyPair } from './ssh-client.ts';

const main = new URL('../../src/main.ts', import.meta.url).pathname;

/** On a signal it collects what nobody holds any more, gives back the pages of that, and says how much is left. */
const collect = `process.on('SIGUSR2', () => {
  gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  const { heapUsed, external } = process.memoryUsage();
  process.stdout.write('held ' + (heapUsed + external) + '\\n');
});`;

const lastWordsLength = 20_000;

export interface Holdings {
  /** JavaScript's heap and what hangs on it, after a forced collection. */
  readonly heapMib: number;
  /** After that, too: else it would be the most that was ever used at once. */
  readonly residentMib: number;
  readonly descriptors: number;
  readonly children: number;
  /** In its temporary folder: sockets, folders of them. */
  readonly files: readonly string[];
}

export interface MeasuredGateway {
  readonly port: number;
  readonly httpUrl: string;
  readonly admin: KeyPair;
  holdings(): Promise<Holdings>;
  /** The end of its log. */
  lastWords(): string;
  /** SIGTERM; resolves to the exit status, or the name of the signal that ended it before. */
  stop(): Promise<number | string>;
  remove(): Promise<void>;
}

export async function startMeasuredGateway(docker: string, logLevel = 'fatal'): Promise<MeasuredGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-measured-'));
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  const admin = await makeKeyPair();
  await giveHostKeys(join(folder, 'hostkeys'));
  const child = spawn(
    process.execPath,
    [
      ...[
        '--no-parallel-scavenge',
        '--max-semi-space-size=16',
        '--min-semi-space-size=16',
        '--heap-growing-percent=100',
        '--expose-gc',
      ],
      `--import=data:text/javascript,${encodeURIComponent(collect)}`,
      ...[main, 'serve', '--ssh-listen=127.0.0.1:0', '--http-listen=127.0.0.1:0', '--domain=gw.example'],
      ...[`--data=${folder}/data`, `--hostkeys=${folder}/hostkeys`, `--admin-key=${admin.file}.pub`],
      ...[`--docker=${docker}`, `--log-level=${logLevel}`],
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        TMPDIR: temporary,
        POSTERN_PREPARED_IDLE_SECONDS: '5',
        POSTERN_PER_SOURCE_MAX_STARTUPS: '100',
        POSTERN_MAX_STARTUPS: '{"start":100,"ratePercent":100,"full":100}',
        POSTERN_TOKEN_RATE_PER_SECOND: '1000',
      },
    },
  );
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-lastWordsLength);
    // Of one that has so little to say, nobody asks for it.
    if (logLevel === 'fatal') process.stderr.write(text);
  });
  const announced = await said(child, /Host key ssh-rsa/);
  return {
    port: Number(/SSH on 127\.0\.0\.1:(\d+)/.exec(announced)?.[1]),
    httpUrl: /POST (http:\S+)\/exec/.exec(announced)?.[1] ?? '',
    admin,
    async holdings() {
      const held = said(child, /held \d+/);
      child.kill('SIGUSR2');
      const heap = Number(/held (\d+)/.exec(await held)?.[1]);
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return {
        heapMib: heap / 1024 / 1024,
        residentMib: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024,
        descriptors: readdirSync(`/proc/${child.pid}/fd`).length,
        children: childrenOf(child.pid as number),
        files: readdirSync(temporary, { recursive: true }).map(String),
      };
    },
    lastWords: () => words,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null)
        return child.signalCode ?? Number(child.exitCode);
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const [code, signal] = await exited;
      return signal ?? code;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Resolves to what it has printed when that holds what is waited for. */
function said(child: ChildProcess, wanted: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const listen = (chunk: Buffer) => {
      text += chunk;
      if (!wanted.test(text)) return;
      child.stdout?.off('data', listen);
      child.off('exit', fail);
      resolve(text);
    };
    const fail = (code: number | null, signal: string | null) =>
      reject(new Error(`the gateway ended: ${signal ?? code}`));
    child.stdout?.on('data', listen);
    child.once('exit', fail);
  });
}

const childrenOf = (pid: number): number =>
  execFileSync('ps', ['-eo', 'ppid='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => Number(line) === pid).length;
