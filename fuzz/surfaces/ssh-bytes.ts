/** Bytes to the SSH port: before there are keys, everything is in the clear, RFC 4253 §4 to §8. */
import { algorithms } from '../../src/ssh/algorithms.ts';
import { boolean, byte, string, uint32 } from '../../src/ssh/wire.ts';
import { openFuzzedGateway, sendAll } from '../fuzzed-gateway.ts';
import { mutant, mutate } from '../mutate.ts';
import type { Random } from '../random.ts';
import { joinMessages, shuffled, splitMessages } from '../streams.ts';
import type { OpenSurface, Surface } from '../surface.ts';

const closesWithinMs = 300;
const version = Buffer.from('SSH-2.0-OpenSSH_9.9\r\n');

/** RFC 4253 §6, unencrypted: lengths, payload, and padding to a multiple of eight. */
function packetOf(payload: Buffer): Buffer {
  const padding = 8 - ((payload.length + 5) % 8) + 8;
  return Buffer.concat([uint32(payload.length + padding + 1), byte(padding), payload, Buffer.alloc(padding)]);
}

const listOf = (names: readonly string[] | unknown) => string((names as readonly string[]).join(','));
const both = (list: Buffer) => [list, list];
const kexinit = (kex: readonly string[]) =>
  Buffer.concat([
    ...[byte(20), Buffer.alloc(16, 1), listOf(kex), listOf(algorithms.serverHostKey)],
    ...both(listOf(algorithms.cipher)),
    ...both(listOf(algorithms.hmac)),
    ...[...both(listOf(['none', 'zlib'])), ...both(string('')), boolean(false), uint32(0)],
  ]);
const payloads = [
  kexinit(['curve25519-sha256', 'ext-info-c', 'kex-strict-c-v00@openssh.com']),
  kexinit(['mlkem768x25519-sha256']),
  kexinit(['diffie-hellman-group16-sha512']),
  Buffer.concat([byte(30), string(Buffer.alloc(32, 9))]),
  Buffer.concat([byte(30), string(Buffer.alloc(1_216, 1))]),
  Buffer.concat([byte(30), string(Buffer.alloc(513, 3))]),
  byte(21),
  Buffer.concat([byte(2), string('ignored')]),
  Buffer.concat([byte(5), string('ssh-userauth')]),
];
const hello = Buffer.concat([version, packetOf(payloads[0] as Buffer), packetOf(payloads[3] as Buffer)]);
const seeds = [
  hello,
  version,
  Buffer.concat([version, Buffer.alloc(64, 0xff)]),
  Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  Buffer.from('SSH-1.5-x\r\n'),
  Buffer.from(`${'hello\r\n'.repeat(30)}SSH-2.0-x\r\n`),
  Buffer.from(`SSH-2.0-${'x'.repeat(300)}\r\n`),
];

async function openSurface(
  generate: (random: Random) => Buffer,
  wire: (input: Buffer) => Buffer,
): Promise<OpenSurface> {
  const gateway = await openFuzzedGateway();
  return {
    generate,
    run: (input) => sendAll(gateway, gateway.port, wire(input), closesWithinMs),
    memory: gateway.memory,
    close: gateway.close,
  };
}

export const sshBytes: Surface = {
  pace: 'through a gateway',
  open: () =>
    openSurface(
      (random) => mutant(seeds, random),
      (input) => input,
    ),
};

/** Payloads in sound packets. */
export const sshKeyExchange: Surface = {
  pace: 'through a gateway',
  open: () =>
    openSurface(
      (random) => {
        const chosen = [random.below(3), 3 + random.below(3), 6 + random.below(3)].map(
          (at) => payloads[at] as Buffer,
        );
        return joinMessages(
          shuffled(
            chosen.map((each) => (random.oneIn(2) ? mutate(each, random, payloads) : each)),
            random,
          ),
        );
      },
      (input) => Buffer.concat([version, ...splitMessages(input).map(packetOf)]),
    ),
};
