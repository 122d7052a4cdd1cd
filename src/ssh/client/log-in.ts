/** Public key login to a host, RFC 4252 §7; no other way is ever tried. */
import { GatewayError } from '../../errors.ts';
import { excerpt } from '../../platform/excerpt.ts';
import { printable } from '../../platform/printable.ts';
import type { HostLogin, HostToConnect } from '../../targets/host-connection.ts';
import { sendPayload, sessionIdOf } from '../ssh2-internals.ts';
import { boolean, byte, string, WireReader } from '../wire.ts';
import { readAgentKeys } from './agent-keys.ts';
import { readSigningKey, type SigningKey, signatureAlgorithm } from './login-keys.ts';
import type { ClientTransport } from './open-transport.ts';

const request = 50;
const failure = 51;
const success = 52;
const publicKeyOk = 60;
const extInfo = 7;
/** Servers that look far and wide for a key take their time. */
const answerWithinMs = 30_000;

/** What the host answers to one request. `wants`: the methods that may go on. */
type Answer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'key is known' }
  | { readonly kind: 'refused'; readonly wants: readonly string[]; readonly partly: boolean }
  | { readonly kind: 'gone'; readonly reason: string };

/**
 * Tries each way in turn. `onAccepted` runs in the very tick of the host's yes, for what comes next is another protocol.
 * Throws host-login-refused, which tells what was tried; host-identity-unusable; host-unreachable when the host is gone.
 */
export async function logIn(
  transport: ClientTransport,
  host: HostToConnect,
  onAccepted: () => void,
): Promise<void> {
  const conversation = converse(transport, onAccepted);
  const tried: string[] = [];
  let wants = 'publickey';
  for (const login of host.logins) {
    const { keys, done } = await openKeys(login, host.name);
    if (keys.length > 0) tried.push(login.name);
    try {
      for (const key of keys) {
        const answer = await conversation.tryKey(host.username, key);
        if (answer.kind === 'accepted') return;
        if (answer.kind === 'gone') throw lost(host, answer.reason, tried);
        if (answer.kind !== 'refused') continue;
        wants = answer.wants.join(', ');
        if (answer.partly || !answer.wants.includes('publickey')) throw refused(host, tried, wants);
      }
    } finally {
      done();
    }
  }
  throw refused(host, tried, wants);
}

function refused({ name, username }: HostToConnect, tried: readonly string[], wants: string): GatewayError {
  const ways = tried.length === 0 ? 'nothing: there is no key for it' : tried.join(', ');
  return new GatewayError('host-login-refused', {
    host: name,
    user: username,
    tried: ways,
    wants: printable(excerpt(wants, 100)),
  });
}

/** sshd hangs up in the middle of a login when it has had enough keys. */
function lost(host: HostToConnect, reason: string, tried: readonly string[]): GatewayError {
  if (/too many authentication failures/i.test(reason)) return refused(host, tried, 'publickey');
  const said = printable(excerpt(reason, 200));
  return new GatewayError('host-unreachable', { host: host.name, reason: `at the login: ${said}` });
}

async function openKeys(
  login: HostLogin,
  host: string,
): Promise<{ keys: readonly SigningKey[]; done: () => void }> {
  if (login.kind === 'agent') {
    const peer = await login.open().catch(() => undefined);
    // Without an agent the other ways are left.
    const keys = peer ? await readAgentKeys(peer.stream).catch(() => []) : [];
    return { keys, done: () => peer?.close() };
  }
  const unusable = (why: string, cause?: unknown) =>
    new GatewayError('host-identity-unusable', { host, key: login.name, why }, { cause });
  const file = await login.readPrivateKey().catch((error: Error) => {
    // What is wrong with the file is its operator's to learn: its name is nobody else's.
    throw unusable('it cannot be used', error);
  });
  const key = readSigningKey(file);
  if (!key) throw unusable('it is no private key that can be read without a passphrase');
  return { keys: [key], done: () => {} };
}

/** One request at a time, RFC 4252 §5.1. */
function converse(transport: ClientTransport, onAccepted: () => void) {
  let settle: (answer: Answer) => void = () => {};
  let gone: string | undefined;
  transport.onEnd((reason) => {
    gone = reason;
    settle({ kind: 'gone', reason });
  });
  const signatures = hearAnswers(transport, (answer) => {
    if (answer.kind === 'accepted') onAccepted();
    settle(answer);
  });
  const ask = (payload: Buffer) =>
    new Promise<Answer>((resolve) => {
      if (gone !== undefined) return resolve({ kind: 'gone', reason: gone });
      const late: Answer = { kind: 'gone', reason: 'no answer in time' };
      const deadline = setTimeout(() => settle(late), answerWithinMs);
      settle = (answer) => {
        clearTimeout(deadline);
        resolve(answer);
      };
      sendPayload(transport.client, payload);
    });

  return {
    async tryKey(username: string, key: SigningKey): Promise<Answer> {
      const algorithm = signatureAlgorithm(key.blob, signatures());
      const start = [byte(request), string(username), string('ssh-connection'), string('publickey')];
      const body = (signed: boolean) =>
        Buffer.concat([...start, boolean(signed), string(algorithm), string(key.blob)]);
      if (key.asksFirst) {
        const answer = await ask(body(false));
        if (answer.kind !== 'key is known') return answer;
      }
      const unsigned = body(true);
      const signature = await key
        .sign(Buffer.concat([string(sessionIdOf(transport.client)), unsigned]), signatureName(algorithm))
        .catch(() => undefined);
      // The agent's holder said no: the next key, then.
      if (!signature) return { kind: 'key is known' };
      return ask(Buffer.concat([unsigned, string(signature)]));
    },
  };
}

/** Returns what tells the signature algorithms that the server takes, which it may say at any time. */
function hearAnswers(transport: ClientTransport, onAnswer: (answer: Answer) => void) {
  let signatures: readonly string[] | undefined;
  let isOver = false;
  const readers = new Map<number, (reader: WireReader) => void>([
    [extInfo, (reader) => (signatures = readSignatureAlgorithms(reader) ?? signatures)],
    [success, () => onAnswer({ kind: 'accepted' })],
    [publicKeyOk, () => onAnswer({ kind: 'key is known' })],
    [
      failure,
      (reader) => onAnswer({ kind: 'refused', wants: reader.text().split(','), partly: reader.boolean() }),
    ],
  ]);
  // EXT_INFO comes before the service is accepted.
  transport.onLoginMessage((payload) => {
    // One yes begins one connection, RFC 4252 §5.1; another one would begin another in its place.
    if (isOver) return;
    isOver = payload[0] === success;
    readers.get(payload[0] as number)?.(new WireReader(payload, 1));
  });
  return () => signatures;
}

/** With a certificate the signature has the name of its key's own algorithm. */
const signatureName = (algorithm: string) => algorithm.replace('-cert-v01@openssh.com', '');

const maxExtensions = 64;

/** RFC 8308 §2.3, §3.1. */
function readSignatureAlgorithms(reader: WireReader): readonly string[] | undefined {
  for (let left = Math.min(reader.uint32(), maxExtensions); left > 0; left--) {
    const name = reader.text();
    const value = reader.text();
    if (name === 'server-sig-algs') return value.split(',');
  }
  return undefined;
}
