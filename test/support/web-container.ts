/** Containers with a web server in them, and the gateway's door asked for them by the real curl. */
import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { docker, runContainer, type TestContainer } from './containers.ts';
import { images } from './engine.ts';
import { temporaryFile } from './gateway.ts';
import type { Api } from './http-api.ts';
import { type KeyPair, type Outcome, runProgram } from './ssh-client.ts';

const folder = new URL('web-server', import.meta.url).pathname;

export interface WebContainerOptions {
  /** `docker run` options: labels, networks. */
  readonly options?: readonly string[];
  readonly port?: number;
  /** `raw`: sends back what the file /answer holds. */
  readonly kind?: 'serve' | 'serve-raw';
}

/** With this machine's Node and git mounted into it. */
export async function startWebContainer({
  options = [],
  port = 8080,
  kind = 'serve',
}: WebContainerOptions = {}) {
  const gitFolder = execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim();
  const mounts = [`${process.execPath}:/usr/local/bin/node`, `${gitFolder}:${gitFolder}`, `${folder}:/web`];
  const container = await runContainer(
    images.debian,
    [
      ...mounts.flatMap((mount) => ['-v', `${mount}:ro`]),
      '-e',
      `PATH=${gitFolder}:/usr/local/bin:/usr/bin:/bin`,
      ...options,
    ],
    ['node', `/web/${kind}.ts`, String(port)],
  );
  await untilListening(container, port);
  return container;
}

/** By /proc/net/tcp6, where a listening socket has state 0A. */
async function untilListening({ name, sh }: TestContainer, port: number): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  for (let tries = 100; tries > 0; tries--) {
    if (/:HEX \S+ 0A/.test((await sh('cat /proc/net/tcp /proc/net/tcp6')).replaceAll(`:${hex}`, ':HEX')))
      return;
    await pause(100);
  }
  throw new Error(`nothing listens in ${name}: ${await docker('logs', name)}`);
}

export interface WebAnswer extends Outcome {
  readonly code: number;
  /** Of the last answer: status line and headers. */
  readonly head: string;
  readonly body: string;
}

/** `curl` for `http://NAME.DOMAIN`, with the token as `Authorization: Bearer` unless `args` say otherwise. */
export async function askWeb(
  { gateway }: Api,
  container: string,
  path: string,
  { token, args = [], stdin }: { token?: string; args?: readonly string[]; stdin?: string | Buffer } = {},
): Promise<WebAnswer> {
  const { port } = gateway.httpAddress ?? {};
  const host = `${container}.${gateway.endpoint.host}`;
  const config = await temporaryFile('curl.conf', token ? `header = "Authorization: Bearer ${token}"\n` : '');
  const url = `${gateway.httpScheme}://${host}:${port}${path}`;
  const ran = await runProgram(
    'curl',
    ['-sS', '-i', '-N', '-K', config, '--resolve', `${host}:${port}:127.0.0.1`, ...args, url],
    stdin === undefined ? {} : { stdin },
  );
  let text = ran.stdout.toString('latin1');
  while (/^HTTP\/1\.1 1\d\d/.test(text)) text = text.slice(text.indexOf('\r\n\r\n') + 4);
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end);
  return {
    ...ran,
    head,
    code: Number(head.split(' ')[1]),
    body: Buffer.from(text.slice(end + 4), 'latin1').toString(),
  };
}

/** An exe0 for the container, signed by the real ssh-keygen. */
export async function signFor(
  { gateway }: Api,
  container: string,
  key: KeyPair,
  payload: string,
): Promise<string> {
  const namespace = `v0@${container}.${gateway.endpoint.host}`;
  const signed = await runProgram('ssh-keygen', ['-Y', 'sign', '-q', '-f', key.file, '-n', namespace], {
    stdin: payload,
  });
  if (signed.status !== 0) throw new Error(signed.stderr);
  const blob = Buffer.from(signed.text.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
  return `exe0.${Buffer.from(payload).toString('base64url')}.${blob.toString('base64url')}`;
}
