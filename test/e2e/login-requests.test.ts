/** Login requests in ways that honest clients seldom send them: several in one write, and `none` again and again. */
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendPayload } from '../../src/ssh/ssh2-internals.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { field } from '../support/keys.ts';

let door: TestGateway;
let key: { blob: Buffer; sign(data: Buffer): Buffer };
beforeAll(async () => {
  door = await startTestGateway({ config: { loginGraceTimeMs: 30_000, maxAuthTries: 6 } });
  const parsed = ssh2.utils.parseKey(await readFile(door.admin.file)) as ssh2.ParsedKey;
  key = { blob: parsed.getPublicSSH(), sign: (data) => parsed.sign(data) };
});
afterAll(() => door.stop());

/** Makes a payload, which may depend on the session id. */
type Request = (sessionId: Buffer) => Buffer;

const begin = (method: string) => [Buffer.from([50]), field('x'), field('ssh-connection'), field(method)];
const none: Request = () => Buffer.concat(begin('none'));
const askedFor = (signed: 0 | 1) =>
  Buffer.concat([...begin('publickey'), Buffer.from([signed]), field('ssh-ed25519'), field(key.blob)]);
const probe: Request = () => askedFor(0);
const signedBy =
  (sign: (data: Buffer) => Buffer): Request =>
  (sessionId) => {
    const signature = sign(Buffer.concat([field(sessionId), askedFor(1)]));
    return Buffer.concat([askedFor(1), field(Buffer.concat([field('ssh-ed25519'), field(signature)]))]);
  };
const signed = signedBy((data) => key.sign(data));
const forged = signedBy(() => Buffer.alloc(64, 1));

interface Internals {
  readonly _sock: Socket;
  readonly _protocol: {
    readonly _kex: { readonly sessionID: Buffer };
    readonly _authsQueue: string[];
    readonly _handlers: Record<string, (...args: unknown[]) => unknown>;
  };
}

const answerNames = {
  USERAUTH_PK_OK: 'key',
  USERAUTH_FAILURE: 'no',
  USERAUTH_SUCCESS: 'yes',
  REQUEST_FAILURE: 'no such request',
};
/** RFC 4254 §4: is answered, and comes after whatever was sent before it. */
const lastRequest = Buffer.concat([Buffer.from([80]), field('nothing@example.com'), Buffer.from([1])]);

/** Sends them all in one write, and tells the answers in the order they came, until all are there or it is over. */
function answersTo(requests: readonly Request[], afterLogin?: Buffer): Promise<string[]> {
  const client = new ssh2.Client();
  const answers: string[] = [];
  return new Promise((resolve) => {
    const finish = () => {
      client.destroy();
      resolve(answers);
    };
    const send = () => {
      const { _sock, _protocol } = client as unknown as Internals;
      for (const [event, name] of Object.entries(answerNames)) {
        _protocol._handlers[event] = () => {
          answers.push(name);
          if (name === 'yes' && afterLogin) sendPayload(client as never, afterLogin);
          if (answers.length === requests.length) finish();
        };
      }
      _sock.cork();
      for (const request of requests) {
        _protocol._authsQueue.push('publickey');
        sendPayload(client as never, request(_protocol._kex.sessionID));
      }
      _sock.uncork();
      return undefined;
    };
    setTimeout(finish, 20_000).unref();
    client.on('error', () => {});
    client.on('close', () => {
      answers.push('closed');
      finish();
    });
    const to = { host: '127.0.0.1', port: door.port, username: 'x' };
    client.connect({ ...to, authHandler: send as never });
  });
}

describe('several login requests in one write', () => {
  it('a key without its signature, and the signature right after it: both are answered', async () => {
    expect(await answersTo([none, probe, signed])).toEqual(['no', 'key', 'yes']);
  });

  it('are answered in the order they came', async () => {
    expect(await answersTo([none, probe, forged, probe, signed])).toEqual(['no', 'key', 'no', 'key', 'yes']);
  });

  it('more than a client has a reason for end the connection', async () => {
    expect((await answersTo(Array.from({ length: 50 }, () => probe))).at(-1)).toBe('closed');
  });

  it('after a login are ignored', async () => {
    const before = door.logged().length;
    expect(await answersTo([signed, signed], lastRequest)).toEqual(['yes', 'no such request']);
    const accepted = door
      .logged()
      .slice(before)
      .filter(({ audit }) => audit === 'login-accepted');
    expect(accepted).toHaveLength(1);
  });
});

describe('none', () => {
  it('is free once, and then a failed try, as with sshd', async () => {
    const answers = await answersTo(Array.from({ length: 9 }, () => none));
    expect(answers).toEqual(['no', 'no', 'no', 'no', 'no', 'no', 'closed']);
  });

  it('is no free try after another request', async () => {
    expect(await answersTo([probe, none, none, none, none, none, none, signed])).toEqual([
      ...['key', 'no', 'no', 'no', 'no', 'no', 'closed'],
    ]);
  });
});
