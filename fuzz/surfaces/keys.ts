/** Public keys as strangers send them: blobs (RFC 4253 §6.6), authorized_keys lines, SSH2 files, PEM. */
import { GatewayError } from '../../src/errors.ts';
import { parseKeysToAdd } from '../../src/keys/parse-keys-to-add.ts';
import { parsePublicKeyBlob } from '../../src/keys/parse-public-key.ts';
import { holdsPrivateKey } from '../../src/keys/private-key.ts';
import { classifyPrivateKeyFile } from '../../src/keys/private-key-file.ts';
import { hasControlCharacters } from '../../src/platform/printable.ts';
import { corpus } from '../corpus.ts';
import { mutant } from '../mutate.ts';
import { allowing, expectThat, type Surface } from '../surface.ts';

const blobs = corpus.signatures.map(({ key }) => Buffer.from(key, 'base64'));

export const keyBlobs: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate: (random) => mutant(blobs, random),
    run(input) {
      const key = allowing([GatewayError], () => parsePublicKeyBlob(input));
      if (key) expectThat(key.blob.equals(input), 'a key that is not the bytes it was read from');
    },
    close: async () => {},
  }),
};

const options = [
  'restrict,pty ',
  'from="10.0.0.0/8,!10.0.0.1" ',
  'command="echo \\"hi\\"",no-pty ',
  'permitopen="localhost:80",permitlisten="8080",expiry-time="20300101" ',
  'environment="A=b",verify-required ',
  'cert-authority,principals="a,b" ',
];
const lines = corpus.keyFiles.filter((text) => !text.startsWith('-'));
const texts = [
  ...corpus.keyFiles,
  ...options.map((each, at) => each + lines[at % lines.length]),
  lines.join(''),
];
const textCorpus = texts.map((text) => Buffer.from(text));

export const keyFiles: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate: (random) => mutant(textCorpus, random),
    run(input) {
      const text = input.toString('utf8');
      holdsPrivateKey(text);
      classifyPrivateKeyFile(text);
      for (const { key, comment = '' } of allowing([GatewayError], () => parseKeysToAdd(text)) ?? []) {
        expectThat(
          parsePublicKeyBlob(key.blob).fingerprint === key.fingerprint,
          'a key that is refused as a blob',
        );
        expectThat(
          parseKeysToAdd(key.line)[0]?.key.fingerprint === key.fingerprint,
          'a line that is read otherwise',
        );
        expectThat(!hasControlCharacters(comment), 'a comment that drives terminals');
      }
    },
    close: async () => {},
  }),
};
