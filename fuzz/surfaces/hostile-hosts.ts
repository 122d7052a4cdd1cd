/** The gateway as a client: bytes and messages of a registered host that means no good. */

import type { Socket } from 'node:net';
import { type Duplex, duplexPair, Writable } from 'node:stream';
import ssh2, { type Connection } from 'ssh2';
import { GatewayError } from '../../src/errors.ts';
import type { SessionIo } from '../../src/sessions/session.ts';
import { readAgentKeys } from '../../src/ssh/client/agent-keys.ts';
import { createOpenHostConnection } from '../../src/ssh/client/open-host-connection.ts';
import { boolean, byte, string, uint32 } from '../../src/ssh/wire.ts';
import type { HostToConnect } from '../../src/targets/host-connection.ts';
import { sendRaw } from '../../test/support/hostile-host.ts';
import { corpus } from '../corpus.ts';
import { mutant, mutate } from '../mutate.ts';
import { joinMessages, peerThatSays, readableOf, shuffled, splitMessages } from '../streams.ts';
import { expectThat, type Surface } from '../surface.ts';

const { private: hostKey, public: publicHostKey } = ssh2.utils.generateKeyPairSync('ed25519');
const { private: loginKey } = ssh2.utils.generateKeyPairSync('ed25519');
const answersWithinMs = 400;

const openHost = createOpenHostConnection({
  answerWithinMs: answersWithinMs,
  rekeyLimits: { bytes: 1024 * 1024 * 1024, intervalMs: 3_600_000 },
  keepAlive: { intervalMs: 0, countMax: 0 },
});
const host: HostToConnect = {
  name: 'hostile',
  username: 'root',
  hostKeys: [publicHostKey.split(' ').slice(0, 2).join(' ')],
  logins: [{ kind: 'key', name: 'a key', readPrivateKey: async () => Buffer.from(loginKey) }],
};

const message = (number: number, ...parts: Buffer[]) => Buffer.concat([byte(number), ...parts]);
const window = [uint32(2 ** 21), uint32(32_768)];
const hostMessages = [
  message(51, string('publickey,password'), boolean(false)),
  message(52),
  message(53, string('welcome\u001b[2J'), string('')),
  message(60, string('ssh-ed25519'), string(Buffer.from(corpus.signatures[0]?.key ?? '', 'base64'))),
  message(7, uint32(1), string('server-sig-algs'), string('ssh-ed25519')),
  message(80, string('hostkeys-00@openssh.com'), boolean(false), string('key')),
  message(80, string('keepalive@openssh.com'), boolean(true)),
  message(81, uint32(4_000)),
  message(82),
  message(
    90,
    string('forwarded-tcpip'),
    uint32(0),
    ...window,
    string('localhost'),
    uint32(80),
    string('x'),
    uint32(9),
  ),
  message(90, string('auth-agent@openssh.com'), uint32(0), ...window),
  message(90, string('session'), uint32(0), ...window),
  message(91, uint32(0), uint32(5), ...window),
  message(92, uint32(0), uint32(1), string('no'), string('')),
  message(93, uint32(0), uint32(100_000)),
  message(94, uint32(0), string('output')),
  message(95, uint32(0), uint32(1), string('errors')),
  message(96, uint32(0)),
  message(97, uint32(0)),
  message(98, uint32(0), string('exit-status'), boolean(false), uint32(3)),
  message(
    98,
    uint32(0),
    string('exit-signal'),
    boolean(false),
    string('TERM'),
    boolean(false),
    string('x'),
    string(''),
  ),
  message(99, uint32(0)),
  message(100, uint32(0)),
  message(1, uint32(2), string('bye\u001b[2J'), string('')),
  message(2, string('')),
];

const nobody = (): SessionIo => ({
  stdin: readableOf(Buffer.from('input')),
  stdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
  stderr: new Writable({ write: (_chunk, _encoding, done) => done() }),
  onWindowChange: () => {},
  onSignal: () => {},
  closed: AbortSignal.timeout(answersWithinMs),
});

/** What may become of a visit to a host: anything that a person can be told in a sentence. */
function expectSentence(error: unknown): void {
  const isSentence = error instanceof GatewayError || (error as Error).name === 'TimeoutError';
  expectThat(isSentence, `it failed otherwise: ${(error as Error).stack}`);
}

/** Before the login, or in the place of it, and after it: the first byte says where the messages begin. */
export const hostMessagesSurface: Surface = {
  pace: 'through a gateway',
  async open() {
    let acts: (client: Connection) => void = () => {};
    let isAtLogin = false;
    const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
      client.on('error', () => {});
      client.on('authentication', (login) => {
        if (isAtLogin) acts(client);
        login.accept();
      });
      client.on('ready', () => {
        if (isAtLogin) return;
        const onExec = (start: () => unknown) => {
          start();
          acts(client);
        };
        client.on('session', (accept) => accept().on('exec', onExec));
      });
    });
    return {
      generate(random) {
        const chosen = Array.from({ length: 1 + random.below(8) }, () => random.pick(hostMessages));
        const changed = chosen.map((each) => (random.oneIn(2) ? each : mutate(each, random, hostMessages)));
        return Buffer.concat([byte(random.below(3)), joinMessages(shuffled(changed, random))]);
      },
      async run(input) {
        const [near, far] = duplexPair();
        isAtLogin = input[0] === 0;
        acts = (client) => {
          for (const each of splitMessages(input.subarray(1))) {
            if (each.length > 0 && each.length < 34_000 && !far.destroyed) sendRaw(client, each);
          }
          // Nobody waits for what was left out.
          setImmediate(() => far.end());
        };
        server.injectSocket(Object.assign(far, { setNoDelay() {}, remoteAddress: '' }) as unknown as Socket);
        const given = AbortSignal.timeout(answersWithinMs);
        try {
          const connection = await openHost(near, host, given);
          await connection.runSession(
            { start: { kind: 'exec', command: 'true' }, env: new Map() },
            nobody(),
            undefined,
          );
          connection.close();
        } catch (error) {
          expectSentence(error);
        } finally {
          near.destroy();
          far.destroy();
        }
      },
      close: async () => {},
    };
  },
};

const kexinit = Buffer.concat([
  ...[
    byte(20),
    Buffer.alloc(16, 1),
    string('curve25519-sha256,kex-strict-s-v00@openssh.com'),
    string('ssh-ed25519'),
  ],
  ...Array.from({ length: 2 }, () => string('aes128-gcm@openssh.com')),
  ...Array.from({ length: 2 }, () => string('hmac-sha2-256')),
  ...[string('none'), string('none'), string(''), string(''), boolean(false), uint32(0)],
]);
const packetOf = (payload: Buffer) => {
  const padding = 16 - ((payload.length + 5) % 8);
  return Buffer.concat([uint32(payload.length + padding + 1), byte(padding), payload, Buffer.alloc(padding)]);
};
const exchangeReply = message(
  31,
  string(Buffer.from(corpus.signatures[0]?.key ?? '', 'base64')),
  string(Buffer.alloc(32, 9)),
  string(Buffer.alloc(83)),
);
const greetings = [
  Buffer.concat([Buffer.from('SSH-2.0-OpenSSH_9.9\r\n'), packetOf(kexinit), packetOf(exchangeReply)]),
  Buffer.concat([Buffer.from('hello\r\nSSH-2.0-x\r\n'), packetOf(kexinit), packetOf(message(21))]),
  Buffer.from('SSH-1.99-old\n'),
  Buffer.from('220 mail ESMTP\r\n'),
];

export const hostBytes: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate: (random) => mutant(greetings, random),
    async run(input) {
      const stream = peerThatSays(input);
      await openHost(stream, host, AbortSignal.timeout(answersWithinMs)).catch(expectSentence);
      stream.destroy();
    },
    close: async () => {},
  }),
};

const identities = string(
  message(12, uint32(1), string(Buffer.from(corpus.signatures[0]?.key ?? '', 'base64')), string('a')),
);
const agentAnswers = [
  Buffer.concat([
    identities,
    string(message(14, string(Buffer.from(corpus.signatures[0]?.signature ?? '', 'base64')))),
  ]),
  Buffer.concat([identities, string(byte(5))]),
  string(byte(5)),
];

/** A person's agent, as it is asked to log in to a host. */
export const agentAnswersSurface: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate: (random) => mutant(agentAnswers, random),
    async run(input) {
      const stream: Duplex = peerThatSays(input);
      const keys = await readAgentKeys(stream).catch(() => []);
      for (const key of keys.slice(0, 2)) await key.sign(Buffer.from('data'), 'ssh-ed25519').catch(() => {});
      stream.destroy();
    },
    close: async () => {},
  }),
};
