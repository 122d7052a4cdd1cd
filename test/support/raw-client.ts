/** ssh2's client, for what no honest ssh program does: forged signatures, silence, odd packets. */
import { createConnection, type Socket } from 'node:net';
import ssh2, { type AuthHandlerMiddleware, type Client, type ConnectConfig } from 'ssh2';

/** Connects and resolves when authenticated; rejects with ssh2's error. */
export function connectRaw(port: number, config: ConnectConfig): Promise<Client> {
  const client = new ssh2.Client();
  return new Promise((resolve, reject) => {
    client.once('ready', () => resolve(client.setNoDelay(true)));
    // An agent that cannot sign is an error of ssh2's too, after which it tries the next key.
    let last = new Error('closed');
    client.on('error', (error) => {
      last = error;
    });
    client.once('close', () => reject(last));
    client.connect({ host: '127.0.0.1', port, username: 'somebody', readyTimeout: 10_000, ...config });
  });
}

/** An agent that offers `offered` (public blobs) and signs with whatever `sign` returns. */
export class ScriptedAgent extends ssh2.BaseAgent<ssh2.ParsedKey> {
  readonly #offered: ssh2.ParsedKey[];
  readonly #sign: (key: ssh2.ParsedKey, data: Buffer) => Buffer | Error;

  constructor(offered: ssh2.ParsedKey[], sign: (key: ssh2.ParsedKey, data: Buffer) => Buffer | Error) {
    super();
    this.#offered = offered;
    this.#sign = sign;
  }

  override getIdentities(callback: (error: Error | undefined, keys?: ssh2.ParsedKey[]) => void): void {
    callback(undefined, this.#offered);
  }

  override sign(
    key: ssh2.ParsedKey,
    data: Buffer,
    options: unknown,
    callback?: (error?: Error, signature?: Buffer) => void,
  ): void {
    const done = (typeof options === 'function' ? options : callback) as (
      error?: Error,
      signature?: Buffer,
    ) => void;
    const result = this.#sign(key, data);
    if (result instanceof Error) done(result);
    else done(undefined, result);
  }
}

export type { AuthHandlerMiddleware };

/** A TCP connection that sends exactly what it is told; resolves `closed` with what arrived. */
export function openSocket(
  port: number,
  send: string | Buffer = '',
  localAddress?: string,
): { socket: Socket; closed: Promise<Buffer> } {
  const from = localAddress === undefined ? {} : { localAddress };
  const socket = createConnection({ port, host: '127.0.0.1', ...from });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  if (send.length > 0) socket.write(send);
  const closed = new Promise<Buffer>((resolve) => socket.once('close', () => resolve(Buffer.concat(chunks))));
  return { socket, closed };
}
