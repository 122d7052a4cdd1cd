/** A client that sends signed publickey requests byte for byte as a test wrote them. */
import ssh2, { type Connection } from 'ssh2';
import { sendPayload } from '../../src/ssh/ssh2-internals.ts';
import { field } from './keys.ts';

export interface ForgedRequest {
  readonly algorithm: string;
  readonly blob: Buffer;
  /** What goes into the signature field; `data` is what an honest client would sign. */
  readonly signature: (data: Buffer) => Buffer;
  /** Behind the signature, where nothing belongs. */
  readonly behind?: Buffer;
}

/** `refused`: another try was allowed. Else the login is over. */
export type LoginAnswer = 'accepted' | 'refused' | 'disconnected';

/** Sends the requests one after another on one connection; as many answers as were got. */
export function sendForgedLogins(
  port: number,
  requests: readonly ForgedRequest[],
  onBanner: (text: string) => void = () => {},
): Promise<LoginAnswer[]> {
  const client = new ssh2.Client();
  const answers: LoginAnswer[] = [];
  return new Promise((resolve) => {
    const finish = () => {
      client.removeAllListeners('close');
      client.end();
      resolve(answers);
    };
    let calls = 0;
    const sendNext = () => {
      calls++;
      // ssh2 needs one method of its own to have failed; each call after ours comes of a refusal.
      if (calls === 1) return { type: 'none', username: 'somebody' };
      if (calls > 2) answers.push('refused');
      const request = requests[calls - 2];
      if (request) sendPayload(client as unknown as Connection, payloadOf(client, request));
      else finish();
      return undefined;
    };
    client.on('ready', () => {
      answers.push('accepted');
      finish();
    });
    client.on('banner', onBanner);
    client.on('error', () => {});
    client.on('close', () => {
      answers.push('disconnected');
      resolve(answers);
    });
    const options = { host: '127.0.0.1', port, username: 'somebody', readyTimeout: 20_000 };
    // Undefined tells ssh2 to wait: what is to be sent has been sent.
    client.connect({ ...options, authHandler: sendNext as never });
  });
}

/** SSH_MSG_USERAUTH_REQUEST, RFC 4252 §7. */
function payloadOf(client: ssh2.Client, request: ForgedRequest): Buffer {
  const { algorithm, blob, signature, behind = Buffer.alloc(0) } = request;
  const { _protocol } = client as unknown as {
    _protocol: { _kex: { sessionID: Buffer }; _authsQueue: string[] };
  };
  const names = [field('somebody'), field('ssh-connection'), field('publickey')];
  const signed = Buffer.concat([
    Buffer.from([50]),
    ...names,
    Buffer.from([1]),
    field(algorithm),
    field(blob),
  ]);
  _protocol._authsQueue.push('publickey');
  const data = Buffer.concat([field(_protocol._kex.sessionID), signed]);
  return Buffer.concat([signed, field(signature(data)), behind]);
}
