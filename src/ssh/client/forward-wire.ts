/** How a forward is asked for: RFC 4254 §7 for ports, OpenSSH's PROTOCOL 2.4 for unix sockets. */
import type { Address } from '../../sessions/session.ts';
import type { ForwardDestination } from '../../targets/target.ts';
import { string, uint32 } from '../wire.ts';

export interface ForwardWire {
  /** For people. */
  readonly text: string;
  /** The channel to open, and what it says beside its numbers. */
  readonly channelType: string;
  channelData(origin: Address): Buffer;
  /** The request to listen; `cancel-` precedes it where that is to end. */
  readonly listenRequest: string;
  readonly listenData: Buffer;
  /** Where connections to it say that they came in. */
  readonly key: string;
}

export const portKey = (address: string, port: number) => `${port} ${address}`;
export const socketKey = (path: string) => `socket ${path}`;

export function wireOf(place: ForwardDestination): ForwardWire {
  if ('path' in place) {
    const { path } = place;
    return {
      text: path,
      channelType: 'direct-streamlocal@openssh.com',
      channelData: () => Buffer.concat([string(path), string(''), uint32(0)]),
      listenRequest: 'streamlocal-forward@openssh.com',
      listenData: string(path),
      key: socketKey(path),
    };
  }
  const { host, port } = place;
  return {
    text: `${host}:${port}`,
    channelType: 'direct-tcpip',
    channelData: (origin) =>
      Buffer.concat([string(host || 'localhost'), uint32(port), string(origin.address), uint32(origin.port)]),
    listenRequest: 'tcpip-forward',
    listenData: Buffer.concat([string(host), uint32(port)]),
    key: portKey(host, port),
  };
}
