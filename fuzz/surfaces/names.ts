/** Small things that people write: login names, addresses, destinations, times, words; and the configuration. */
import { matchesAddress } from '../../src/auth/address-patterns.ts';
import { maskSecrets } from '../../src/commands/interpreter/mask.ts';
import { quoteWord, readWords, splitWords } from '../../src/commands/interpreter/words.ts';
import { parseListenAddress } from '../../src/config/listen-address.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { GatewayError } from '../../src/errors.ts';
import { parseDestination, parsePort, parsePorts, parseUsers } from '../../src/hosts/destination.ts';
import { isInternalAddress, isInternalHostname } from '../../src/hosts/internal-addresses.ts';
import { parseHostKeys } from '../../src/hosts/pinned-keys.ts';
import { findContainerName } from '../../src/http/host-name.ts';
import { parseExpiry } from '../../src/keys/expiry.ts';
import { parsePermit } from '../../src/keys/permit-patterns.ts';
import { hasControlCharacters, printable } from '../../src/platform/printable.ts';
import { maskLoginName, parseLoginName } from '../../src/sessions/login-name.ts';
import { corpus } from '../corpus.ts';
import { mutant, mutate } from '../mutate.ts';
import { allowing, expectThat, type Surface } from '../surface.ts';

const nowMs = Date.parse('2026-01-15T12:00:00.000Z');
const seeds = [
  ...[
    'rexec-web',
    'root+web',
    'join+abcdefgh',
    '10.0.0.0/8,!10.0.0.1',
    '::ffff:127.0.0.1',
    'fe80::1%eth0',
    '[::1]:22',
  ],
  ...[
    'ssh://root@host.example:2222',
    'deploy@10.0.0.1:22',
    '127.0.0.1:2222',
    '22,80,443',
    'root,deploy',
    '2030-01-01',
  ],
  ...['30d', '20300101T120000Z', 'localhost:*', '*:80', 'web.gw.example:8080', `it's "a \\"word\\"" \\x`],
  ...corpus.keyFiles.slice(0, 1),
].map((text) => Buffer.from(text));

/** Each takes any text, and at most refuses it in words. */
const readers: readonly ((text: string) => unknown)[] = [
  (text) => parseLoginName(text, 'rexec-'),
  maskLoginName,
  maskSecrets,
  (text) => parseDestination(text),
  (text) => parsePort(text),
  (text) => parsePorts(text),
  (text) => parseUsers(text),
  (text) => parseHostKeys(text),
  (text) => parseExpiry(text, nowMs),
  (text) => parsePermit(text),
  (text) => parseListenAddress(text),
  (text) => matchesAddress('10.0.0.1', text),
  (text) => matchesAddress(text, '10.0.0.0/8,::/0'),
  isInternalAddress,
  isInternalHostname,
  (text) => findContainerName([text], 'gw.example'),
  (text) => readWords(text),
];

export const names: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate: (random) => mutant(seeds, random),
    run(input) {
      const text = input.toString('utf8');
      for (const read of readers) allowing([GatewayError], () => read(text));
      expectThat(!hasControlCharacters(printable(text)), 'printable text that is not');
      const again = allowing([GatewayError], () => splitWords(quoteWord(text)));
      expectThat(
        again === undefined || (again.length === 1 && again[0] === text),
        'a quoted word is another',
      );
    },
    close: async () => {},
  }),
};

const variables = [
  'POSTERN_SSH_LISTEN=127.0.0.1:2222',
  'POSTERN_MAX_STARTUPS={"start":10,"ratePercent":30,"full":100}',
  'POSTERN_ACCEPT_ENV=["LANG","LC_*"]',
  'POSTERN_LOGIN_GRACE_TIME_MS=120000',
  'POSTERN_DOMAIN=gw.example',
  'POSTERN_HTTP_LISTEN=[::1]:8080',
].map((text) => Buffer.from(text));

/** Lines of an environment, NAME=VALUE. */
export const configuration: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate(random) {
      const count = 1 + random.below(3);
      const lines = Array.from({ length: count }, () => {
        const [name = '', value = ''] = random.pick(variables).toString().split(/=(.*)/s);
        return `${name}=${mutate(Buffer.from(value), random, variables)}`;
      });
      return Buffer.from(lines.join('\n'));
    },
    run(input) {
      const pairs = input
        .toString('utf8')
        .split('\n')
        .map((line) => line.split(/=(.*)/s));
      const env = Object.fromEntries(pairs.map(([name = '', value]) => [name, value]));
      allowing([GatewayError], () => loadConfig({ env, flags: {} }));
    },
    close: async () => {},
  }),
};
