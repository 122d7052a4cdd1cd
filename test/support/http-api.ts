/** The gateway's HTTP door, asked with the real curl. */
import { writeFile } from 'node:fs/promises';
import { startTestGateway, type TestGateway, type TestGatewayOptions, temporaryFile } from './gateway.ts';
import { type KeyPair, runProgram } from './ssh-client.ts';

export interface ApiAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Names in lower case. */
  readonly trailers: Readonly<Record<string, string>>;
  readonly json: <T = Record<string, unknown>>() => T;
  /** curl's own exit status. */
  readonly curlStatus: number;
}

export interface AskOptions {
  readonly token?: string | undefined;
  readonly line?: string | Buffer;
  readonly path?: string;
  readonly args?: readonly string[];
  readonly timeoutMs?: number;
}

export type Api = TestGateway & {
  readonly url: string;
  /** POST /exec with `line` as its body. */
  readonly ask: (options: AskOptions) => Promise<ApiAnswer>;
  /** As `ssh-key generate-api-key` prints it. */
  readonly apiKey: (flags?: string, key?: KeyPair) => Promise<string>;
};

export async function startApi(options: TestGatewayOptions = {}): Promise<Api> {
  const door = await startTestGateway({
    ...options,
    config: { httpListen: '127.0.0.1:0', domain: 'gw.example', ...options.config },
  });
  const url = `${door.gateway.httpScheme}://127.0.0.1:${door.gateway.httpAddress?.port}`;
  return {
    ...door,
    url,
    ask: (asked) => curl(url, asked),
    async apiKey(flags = '', key = door.admin) {
      const made = await door.ssh(`ssh-key generate-api-key ${flags}`, { key });
      if (made.status !== 0) throw new Error(made.stderr);
      return made.text.trim();
    },
  };
}

const raw = '--raw';

/** The token goes in by a file, as no process list should show it. */
async function curl(
  url: string,
  { token, line, path = '/exec', args = [], timeoutMs = 30_000 }: AskOptions,
): Promise<ApiAnswer> {
  const config = await temporaryFile('curl.conf', '');
  await writeFile(config, token === undefined ? '' : `header = "Authorization: Bearer ${token}"\n`);
  const body = line === undefined ? [] : ['--data-binary', '@-'];
  const ran = await runProgram(
    'curl',
    ['-sS', '-i', raw, '-N', '-K', config, '-X', 'POST', ...body, ...args, `${url}${path}`],
    { ...(line === undefined ? {} : { stdin: line }), timeoutMs },
  );
  return { ...parseAnswer(ran.stdout), curlStatus: ran.status };
}

function parseAnswer(answer: Buffer): Omit<ApiAnswer, 'curlStatus'> {
  let text = answer.toString('latin1');
  // What came before the answer: 100 Continue.
  while (/^HTTP\/1\.1 1\d\d/.test(text)) text = text.slice(text.indexOf('\r\n\r\n') + 4);
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = parseHeaders(lines);
  const rest = text.slice(end + 4);
  const chunked = headers['transfer-encoding'] === 'chunked' ? dechunk(rest) : { body: rest, trailers: {} };
  const body = Buffer.from(chunked.body, 'latin1').toString('utf8');
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    body,
    trailers: chunked.trailers,
    json: () => JSON.parse(body),
  };
}

const parseHeaders = (lines: readonly string[]) =>
  Object.fromEntries(
    lines
      .filter((line) => line.includes(':'))
      .map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
  );

/** RFC 9112 §7.1. */
function dechunk(text: string): { body: string; trailers: Record<string, string> } {
  let body = '';
  let at = 0;
  for (;;) {
    const sizeEnd = text.indexOf('\r\n', at);
    if (sizeEnd === -1) return { body, trailers: {} };
    const size = Number.parseInt(text.slice(at, sizeEnd), 16);
    at = sizeEnd + 2;
    if (size === 0) return { body, trailers: parseHeaders(text.slice(at).split('\r\n')) };
    body += text.slice(at, at + size);
    at += size + 2;
  }
}

/** By hand, as the public page does it. */
export async function signExe0(key: KeyPair, permissions: object | string, namespace = 'v0@gw.example') {
  const payload = typeof permissions === 'string' ? permissions : JSON.stringify(permissions);
  const signed = await runProgram('ssh-keygen', ['-Y', 'sign', '-f', key.file, '-n', namespace], {
    stdin: payload,
  });
  const base64 = signed.text.split('\n').slice(1, -2).join('');
  const url = (text: string) => text.replace(/[\n=]/g, '').replaceAll('+', '-').replaceAll('/', '_');
  return `exe0.${Buffer.from(payload).toString('base64url')}.${url(base64)}`;
}
