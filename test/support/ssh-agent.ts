/** An ssh-agent on a socket of its own (draft-ietf-sshm-ssh-agent): what it offers and signs is the test's affair. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { field } from './keys.ts';

export interface AgentIdentity {
  readonly blob: Buffer;
  /** The whole signature blob; undefined: the agent declines. */
  readonly sign: (data: Buffer) => Buffer | undefined;
}

export interface TestAgent {
  readonly socketPath: string;
  /** How often it was asked to sign. */
  readonly asked: () => number;
  readonly close: () => Promise<void>;
}

const message = {
  failure: 5,
  requestIdentities: 11,
  identitiesAnswer: 12,
  signRequest: 13,
  signResponse: 14,
};

export async function startAgent(identities: readonly AgentIdentity[]): Promise<TestAgent> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-agent-'));
  const socketPath = join(folder, 'agent');
  const sockets = new Set<Socket>();
  let asked = 0;

  const answer = (request: Buffer): Buffer => {
    if (request[0] === message.requestIdentities) {
      const listed = identities.flatMap(({ blob }) => [field(blob), field('a test')]);
      return Buffer.concat([Buffer.from([message.identitiesAnswer]), uint32(identities.length), ...listed]);
    }
    if (request[0] === message.signRequest) {
      asked++;
      const [blob, data] = twoFields(request.subarray(1));
      const signature = identities.find((identity) => identity.blob.equals(blob))?.sign(data);
      if (signature) return Buffer.concat([Buffer.from([message.signResponse]), field(signature)]);
    }
    return Buffer.from([message.failure]);
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    let waiting = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      waiting = Buffer.concat([waiting, chunk]);
      while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUInt32BE()) {
        const end = 4 + waiting.readUInt32BE();
        socket.write(field(answer(waiting.subarray(4, end))));
        waiting = waiting.subarray(end);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    asked: () => asked,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function twoFields(bytes: Buffer): [Buffer, Buffer] {
  const middle = 4 + bytes.readUInt32BE();
  const end = middle + 4 + bytes.readUInt32BE(middle);
  return [bytes.subarray(4, middle), bytes.subarray(middle + 4, end)];
}
