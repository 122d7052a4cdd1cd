/** One request to a container's web server over a connection of its own, and the answer back, both as they come. */
import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GatewayError } from '../../errors.ts';
import type { Exchange } from './exchange.ts';
import { endToEnd, type Headers, toHeaders, toRaw, trailersThatPass, valuesOf } from './header-rules.ts';
import type { RequestHead } from './read-head.ts';
import { switchProtocols } from './switch-protocols.ts';

export interface RelayOptions {
  readonly head: RequestHead;
  readonly headers: Headers;
  /** Connected to the container. Closed when this is over. */
  readonly socket: Duplex;
  /** Its name, for errors. */
  readonly container: string;
}

/** A handshake is a matter of moments; while it lasts, nobody hears the client hang up. */
const handshakeWithinMs = 30_000;

/** Resolves when everything was passed on. Rejects with web-failed when the container did not answer soundly. */
export async function relay(exchange: Exchange, options: RelayOptions): Promise<void> {
  const { upgrade } = exchange;
  const { socket, container } = options;
  socket.on('error', () => socket.destroy());
  const patience = upgrade && setTimeout(() => socket.destroy(), handshakeWithinMs);
  try {
    const { incoming, switched } = await ask(exchange, options);
    clearTimeout(patience);
    if (!switched) await passAnswer(incoming, exchange.response);
    else if (upgrade) await switchProtocols(exchange, upgrade, incoming, switched);
    else throw new Error('it switches protocols unasked');
  } catch (cause) {
    throw new GatewayError('web-failed', { name: container }, { cause });
  } finally {
    clearTimeout(patience);
    socket.destroy();
  }
}

export interface Switched {
  readonly socket: Duplex;
  /** What came behind the answer. */
  readonly head: Buffer;
}

interface Answer {
  readonly incoming: IncomingMessage;
  /** The container has answered 101. */
  readonly switched?: Switched;
}

/** Sends the request, its body as it comes, and resolves to the head of the answer. */
function ask({ request, response }: Exchange, { head, headers, socket }: RelayOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onward = httpRequest({
      createConnection: () => socket,
      method: head.method,
      path: head.target,
      headers: toRaw(headers),
      setHost: false,
    });
    onward.once('response', (incoming) => resolve({ incoming }));
    onward.once('upgrade', (incoming, switched: Duplex, rest) =>
      resolve({ incoming, switched: { socket: switched, head: rest } }),
    );
    // There may be more than one: of writes to a server that has answered and gone.
    onward.on('error', reject);
    onward.once('close', () => reject(new Error('it closed the connection')));
    if (head.expectsContinue) onward.once('continue', () => response.writeContinue());
    sendBody(request, onward, head);
  });
}

/** Without a length that was announced no byte goes out: behind the head it would be another request. */
function sendBody(request: IncomingMessage, onward: ClientRequest, { body }: RequestHead): void {
  if (body === 'none') return void onward.end();
  onward.flushHeaders();
  request.on('end', () => {
    if (body === 'chunked') onward.addTrailers(trailersThatPass(request.rawTrailers) as [string, string][]);
    onward.end();
  });
  request.pipe(onward, { end: false });
}

async function passAnswer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, toRaw(answerHeaders(incoming)));
  // An event stream's client waits for the head before there is any event.
  response.flushHeaders();
  await pipeline(incoming, response, { end: false });
  response.addTrailers(trailersThatPass(incoming.rawTrailers) as [string, string][]);
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    response.end();
  });
}

/** What frames the body here is Node's to say, but for a length that is known; RFC 9110 §8.6: 204 has none. */
function answerHeaders({ rawHeaders, statusCode }: IncomingMessage): Headers {
  const headers = toHeaders(rawHeaders);
  const [length] = statusCode === 204 ? [] : valuesOf(headers, 'content-length');
  return [...endToEnd(headers), ...(length === undefined ? [] : ([['Content-Length', length]] as const))];
}
