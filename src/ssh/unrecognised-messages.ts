/**
 * Messages that nobody here takes are answered by SSH_MSG_UNIMPLEMENTED with their sequence number, RFC 4253 §11.4. ssh2 passes over those
 * that it does not know, and over a server's that come from a client, or ends for their form.
 */
import { createSideMap } from '../platform/side-map.ts';
import type { Ssh2Protocol } from './ssh2-shapes.ts';
import { byte, uint32 } from './wire.ts';

const unimplementedMessage = 3;
/** First and last message number of the connection protocol, RFC 4250 §4.1.2. */
const [firstOfConnection, lastOfConnection] = [80, 100];
/** Nobody who has yet to log in has a reason for more, and a stranger may read none of the answers. */
const maxBeforeLogin = 16;

/** SERVICE_ACCEPT, USERAUTH_FAILURE, SUCCESS, BANNER and PK_OK (or what else 60 is to a client). */
const ofServers = new Set([6, 51, 52, 53, 60]);
/** USERAUTH_INFO_RESPONSE, RFC 4256 §3.4. */
const infoResponse = 61;

export const isOfConnection = (type: number): boolean =>
  type >= firstOfConnection && type <= lastOfConnection;

/** Whether a client has no business to send it now, though ssh2 knows it. */
export const isUnasked = ({ _authsQueue: asked }: Ssh2Protocol, type: number): boolean =>
  ofServers.has(type) || (type === infoResponse && asked.length === 0);

const answered = createSideMap<Ssh2Protocol, number>('answered');

/** The answer to the message that is being handled. */
export const unimplemented = ({ _decipher }: Ssh2Protocol): Buffer =>
  // ssh2 counts it before it hands it over.
  Buffer.concat([byte(unimplementedMessage), uint32((_decipher.inSeqno - 1) >>> 0)]);

/** Whether there is one more answer for a peer that has not logged in. */
export function mayAnswerBeforeLogin(protocol: Ssh2Protocol): boolean {
  const count = (answered.get(protocol) ?? 0) + 1;
  answered.set(protocol, count);
  return count <= maxBeforeLogin;
}
