/** The keys of a person's SSH agent, asked over a stream that leads to it: draft-ietf-sshm-ssh-agent. */
import type { Duplex } from 'node:stream';
import { byte, string, uint32, WireReader } from '../wire.ts';
import type { SigningKey } from './login-keys.ts';

const requestIdentities = 11;
const identitiesAnswer = 12;
const signRequest = 13;
const signResponse = 14;
/** SSH_AGENT_RSA_SHA2_256 and _512. */
const flagsOf = (algorithm: string) =>
  algorithm.startsWith('rsa-sha2-256') ? 2 : algorithm.startsWith('rsa-sha2-512') ? 4 : 0;

/** A server counts each key that it does not take, and hangs up at the sixth (sshd's MaxAuthTries). */
const maxKeys = 4;
const maxMessageBytes = 256 * 1024;
const listWithinMs = 10_000;
/** Somebody may have to touch a security key, or to say yes. */
const signWithinMs = 60_000;

/** Rejects when the agent does not answer in time, or in another tongue. */
export async function readAgentKeys(stream: Duplex): Promise<readonly SigningKey[]> {
  const ask = createExchange(stream);
  const answer = new WireReader(await ask(byte(requestIdentities), identitiesAnswer, listWithinMs));
  const keys: SigningKey[] = [];
  for (let left = Math.min(answer.uint32(), maxKeys); left > 0; left--) {
    const blob = answer.bytes();
    // Its comment.
    answer.bytes();
    keys.push({
      blob,
      asksFirst: true,
      async sign(data, algorithm) {
        const request = [byte(signRequest), string(blob), string(data), uint32(flagsOf(algorithm))];
        const signed = await ask(Buffer.concat(request), signResponse, signWithinMs);
        return new WireReader(signed).bytes();
      },
    });
  }
  return keys;
}

/** One question at a time; resolves to the answer without its type, which must be the expected one. */
function createExchange(stream: Duplex) {
  let received = Buffer.alloc(0);
  let settle: ((answer: Buffer | Error) => void) | undefined;
  const fail = (problem: string) => settle?.(new Error(problem));
  stream.on('error', (error) => fail(error.message));
  stream.once('close', () => fail('the agent is gone')).once('end', () => fail('the agent is gone'));
  stream.on('data', (data: Buffer) => {
    // Nobody asked: what comes then would only be gathered.
    if (!settle) return void stream.destroy();
    received = Buffer.concat([received, data]);
    const length = received.length < 4 ? 0 : received.readUInt32BE(0);
    if (length > maxMessageBytes || received.length > maxMessageBytes + 4) {
      received = Buffer.alloc(0);
      stream.destroy();
      return fail('too long an answer');
    }
    if (received.length < 4 || received.length < 4 + length) return;
    const answer = received.subarray(4, 4 + length);
    received = received.subarray(4 + length);
    settle?.(answer);
  });
  return (request: Buffer, expected: number, withinMs: number) =>
    new Promise<Buffer>((resolve, reject) => {
      if (stream.destroyed) return reject(new Error('the agent is gone'));
      const deadline = setTimeout(() => fail('the agent does not answer'), withinMs);
      settle = (answer) => {
        settle = undefined;
        clearTimeout(deadline);
        if (answer instanceof Error) reject(answer);
        else if (answer[0] !== expected) reject(new Error('the agent refused'));
        else resolve(answer.subarray(1));
      };
      stream.write(string(request));
    });
}
