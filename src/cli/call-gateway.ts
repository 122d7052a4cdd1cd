/** Asks the running gateway over its control socket. */
import { createConnection, type Socket } from 'node:net';
import { type ControlResponse, controlSocketPath } from '../control/control-protocol.ts';

/** No gateway uses the data folder, or it does not answer. */
export class NoGateway extends Error {
  override readonly name = 'NoGateway';
}

export interface GatewayAnswer {
  readonly response: ControlResponse;
  /** What follows it. */
  readonly body: Buffer;
}

/** Throws NoGateway. */
export async function callGateway(
  dataDir: string,
  request: { readonly line: string; readonly stdin: string },
  body?: Buffer,
): Promise<GatewayAnswer> {
  const socket = await connectToGateway(dataDir);
  // An answer may come before all of the body was taken.
  socket.on('error', () => {});
  socket.write(`${JSON.stringify(request)}\n`);
  socket.end(body ?? Buffer.alloc(0));
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await new Promise((resolve) => socket.once('close', resolve));
  const bytes = Buffer.concat(chunks);
  const end = bytes.indexOf('\n');
  if (end === -1)
    throw new Error('the gateway closed the control socket without an answer; its log says why.');
  return {
    response: JSON.parse(bytes.subarray(0, end).toString('utf8')) as ControlResponse,
    body: bytes.subarray(end + 1),
  };
}

/** Throws NoGateway. */
export async function connectToGateway(dataDir: string): Promise<Socket> {
  const path = controlSocketPath(dataDir);
  const socket = createConnection({ path, allowHalfOpen: true });
  try {
    await new Promise<void>((done, fail) => socket.once('connect', done).once('error', fail));
    return socket;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') {
      const problem = `this user may not open ${path}; run it as the user that runs the gateway, or as root.`;
      throw new Error(problem, { cause: error });
    }
    throw new NoGateway(
      `no gateway answers at ${path}; start one with "postern serve", or name its data folder with --data DIR.`,
      { cause: error },
    );
  }
}

/** Prints the answer; resolves to the exit status. */
export function tell(
  { stdout, stderr, exitStatus }: ControlResponse,
  terminal: { readonly stdout: NodeJS.WritableStream; readonly stderr: NodeJS.WritableStream },
): number {
  terminal.stdout.write(stdout);
  terminal.stderr.write(stderr);
  return exitStatus;
}
