/** CVE-2023-48795 in the client's role: what somebody between the gateway and a host may put in. */
import { duplexPair } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { hostKeyTypes } from '../../../../src/ssh/client/client-algorithms.ts';
import { openTransport } from '../../../../src/ssh/client/open-transport.ts';
import { boolean, byte, string, uint32 } from '../../../../src/ssh/wire.ts';

function packetOf(payload: Buffer): Buffer {
  const padding = 16 - ((payload.length + 5) % 8);
  return Buffer.concat([uint32(payload.length + padding + 1), byte(padding), payload, Buffer.alloc(padding)]);
}

function kexinit(...kex: string[]): Buffer {
  const twice = (name: string) => [name, name];
  const ciphers = [...twice('aes128-gcm@openssh.com'), ...twice('hmac-sha2-256'), ...twice('none')];
  const lists = [kex.join(','), 'ssh-ed25519', ...ciphers, '', ''].map((list) => string(list));
  return Buffer.concat([byte(20), Buffer.alloc(16, 7), ...lists, boolean(false), uint32(0)]);
}

/** What a host says in the clear, and how the gateway takes it. */
async function meet(...payloads: Buffer[]): Promise<{ refused: string; sent: string }> {
  const [near, far] = duplexPair();
  let sent = '';
  far.on('data', (chunk: Buffer) => {
    sent += chunk.toString('latin1');
  });
  far.on('error', () => {});
  far.write(Buffer.concat([Buffer.from('SSH-2.0-host\r\n'), ...payloads.map(packetOf)]));
  const options = { hostKeyTypes, isTrusted: () => true, signal: AbortSignal.timeout(5_000) };
  const refused = await openTransport(near, options).then(
    () => 'nothing',
    (error: Error) => error.message,
  );
  return { refused, sent };
}

const injected: [string, Buffer][] = [
  ['IGNORE', Buffer.concat([byte(2), string('')])],
  ['DEBUG', Buffer.concat([byte(4), boolean(false), string(''), string('')])],
  ['UNIMPLEMENTED', Buffer.concat([byte(3), uint32(0)])],
];
const newKeys = byte(21);

describe('CVE-2023-48795 (Terrapin), towards hosts', () => {
  const strict = kexinit('curve25519-sha256', 'kex-strict-s-v00@openssh.com');

  it('strict key exchange is offered', async () => {
    expect((await meet(strict, newKeys)).sent).toContain('kex-strict-c-v00@openssh.com');
  });

  it.each(injected)('%s in the first key exchange ends it', async (_name, message) => {
    const [type] = message;
    expect((await meet(strict, message)).refused).toMatch(new RegExp(`unexpected packet type ${type}`, 'i'));
    // The same, where the host does not know of strict key exchange, is passed over: another message ends it.
    const other = await meet(kexinit('curve25519-sha256'), message, byte(50));
    expect(other.refused).toMatch(/unexpected packet type 50/i);
  });
});
