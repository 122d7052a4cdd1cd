/** Why a sidecar could not connect or listen, as a sentence. */
import { GatewayError } from '../../../errors.ts';
import { InsideRefusal } from './inside-connection.ts';

/** By the codes of the system calls; OpenSSH's client shows the sentence after "connect failed". */
const reasons: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused; nothing listens there.'],
  ['ENOTFOUND', 'there is no such name.'],
  ['EAI_AGAIN', 'the name cannot be looked up there now.'],
  ['ETIMEDOUT', 'no answer in time.'],
  ['EHOSTUNREACH', 'the host is unreachable from there.'],
  ['ENETUNREACH', 'the network is unreachable from there.'],
  ['ENOENT', 'there is no such socket.'],
  ['ENOTDIR', 'there is no such socket.'],
  ['ENAMETOOLONG', 'the path is too long.'],
  ['EPROTOTYPE', 'the socket there is of another type.'],
  ['EADDRINUSE', 'something listens there already, or exists.'],
  ['EADDRNOTAVAIL', 'that is no address of the container.'],
  ['EACCES', 'permission denied.'],
  ['EPERM', 'permission denied.'],
  ['EROFS', 'nothing can be written there.'],
]);

/** What a sidecar refused, or never answered. */
export function dialFailure(error: unknown, destination: string, name: string): GatewayError {
  const code = error instanceof InsideRefusal ? error.code : '';
  const reason = reasons.get(code) ?? 'the connection failed.';
  return new GatewayError('forward-failed', { destination, name, reason }, { cause: error });
}
