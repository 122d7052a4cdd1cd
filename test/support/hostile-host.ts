/** Servers behind the gateway that say what no sshd would. */
import type { AddressInfo } from 'node:net';
import ssh2, { type Connection } from 'ssh2';
import { type HostsBehind, hostKeysOf } from './hosts-behind.ts';

interface Raw {
  readonly _protocol: {
    readonly _packetRW: {
      readonly write: {
        readonly allocStart: number;
        alloc(size: number): Buffer;
        finalize(packet: Buffer): Buffer;
      };
    };
    readonly _cipher: { encrypt(packet: Buffer): void };
    readonly _handlers: Record<string, (...args: never[]) => void>;
  };
}

const rawOf = (client: Connection) => (client as unknown as Raw)._protocol;

/** ssh2's own answers by the name of the message, to be replaced. */
export const handlersOf = (client: Connection) => rawOf(client)._handlers;

/** Sends one message as it is, whatever the protocol says of it. */
export function sendRaw(client: Connection, ...parts: readonly (Buffer | number)[]): void {
  const payload = Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)));
  const { _packetRW, _cipher } = rawOf(client);
  const start = _packetRW.write.allocStart;
  const packet = _packetRW.write.alloc(payload.length);
  packet.set(payload, start);
  _cipher.encrypt(_packetRW.write.finalize(packet));
}

export interface HostileHost {
  readonly port: number;
  stop(): void;
}

export interface HostileActs {
  /** At the first login request; unless given, everybody is let in. */
  readonly onLogin?: (client: Connection, accept: () => void) => void;
  readonly onReady?: (client: Connection) => void;
}

/** A server of ssh2's, registered under that name with its host key pinned. */
export async function startHostileHost(
  door: Pick<HostsBehind, 'addHost'>,
  name: string,
  { onLogin = (_client, accept) => accept(), onReady = () => {} }: HostileActs,
): Promise<HostileHost> {
  const { private: key } = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
  const server = new ssh2.Server({ hostKeys: [key] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (login) => onLogin(client, () => login.accept()));
    client.on('ready', () => onReady(client));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await door.addHost(name, port, { hostKeys: await hostKeysOf(port) });
  return { port, stop: () => server.close() };
}
