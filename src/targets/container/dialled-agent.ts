/** HTTP over connections that somebody else makes, to an engine whose answers are a stranger's. */
import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** Far more than 2,000 containers' list. */
const maxAnswerBytes = 16 * 1024 * 1024;

/** Answers that are read as they come, by whoever bounds them. */
const streamed = /\/(archive|events|start|attach)(\?|$)/;

/** Node's own method, which its types leave out. */
type AddRequest = (this: Agent, request: ClientRequest, options: object) => void;
const { addRequest } = Agent.prototype as unknown as { readonly addRequest: AddRequest };

/** Each request has a connection of its own. */
export class DialledAgent extends Agent {
  readonly #dial: () => Promise<Duplex>;
  readonly #maxBytes: number;

  constructor(dial: () => Promise<Duplex>, maxBytes = maxAnswerBytes) {
    super({ keepAlive: false });
    this.#dial = dial;
    this.#maxBytes = maxBytes;
  }

  addRequest(request: ClientRequest, options: object): void {
    request.prependListener('response', (answer) => bound(request, answer, this.#maxBytes));
    addRequest.call(this, request, options);
  }

  override createConnection(_options: object, onCreated: (error: Error | null, stream: Duplex) => void) {
    this.#dial().then(
      (stream) => onCreated(null, stream),
      (error) => onCreated(error, undefined as unknown as Duplex),
    );
    return undefined;
  }
}

/** The client library gathers an answer in memory, however long it is. */
function bound(request: ClientRequest, answer: IncomingMessage, maxBytes: number): void {
  if ((answer.statusCode ?? 0) < 300 && streamed.test(request.path)) return;
  let bytes = 0;
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) return;
    // Of an answer that is cut off the library says nothing; of a request that failed, it does.
    request.emit('error', new Error('the answer is too long'));
    request.destroy();
  });
}
