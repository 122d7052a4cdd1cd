/** Signatures as logins and tokens bring them: RFC 4253 §6.6, RFC 8332, OpenSSH's security keys, SSHSIG. */
import { parsePublicKeyBlob } from '../../src/keys/parse-public-key.ts';
import { verifySignature } from '../../src/keys/verify-signature.ts';
import { parseExe0 } from '../../src/tokens/exe0.ts';
import { MalformedToken } from '../../src/tokens/malformed-token.ts';
import { parseSshsig, verifySshsig } from '../../src/tokens/sshsig.ts';
import { corpus } from '../corpus.ts';
import { mutant } from '../mutate.ts';
import { allowing, expectThat, type Surface } from '../surface.ts';

const data = Buffer.from(corpus.signedData);
const samples = corpus.signatures.map(({ algorithm, key, signature }) => ({
  algorithm,
  key: parsePublicKeyBlob(Buffer.from(key, 'base64')),
  signature: Buffer.from(signature, 'base64'),
}));
const signatureBlobs = samples.map(({ signature }) => signature);

/** The first byte says with whose key. */
export const signatures: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate(random) {
      const whose = random.below(samples.length);
      const own = samples[whose]!.signature;
      return Buffer.concat([Buffer.from([whose]), mutant(random.oneIn(8) ? signatureBlobs : [own], random)]);
    },
    run(input) {
      const { algorithm, key, signature } = samples[(input[0] ?? 0) % samples.length]!;
      const shown = input.subarray(1);
      const nameLength = shown.length < 4 ? 0 : Math.min(64, shown.readUInt32BE());
      for (const name of new Set([algorithm, shown.toString('latin1', 4, 4 + nameLength)])) {
        const verified = verifySignature({ key, algorithm: name, signature: shown, data });
        expectThat(
          !verified || shown.equals(signature),
          'a signature that holds, and is not the one that was made',
        );
      }
    },
    close: async () => {},
  }),
};

const message = Buffer.from(corpus.permissions);
const sshsigs = corpus.signatures.map(({ token }) => {
  const [, , signature = ''] = token.split('.');
  return Buffer.from(signature, 'base64url');
});
const isOfCorpus = (blob: Buffer) => sshsigs.some((each) => each.equals(blob));

export const sshsigBlobs: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate: (random) => mutant(sshsigs, random),
    run(input) {
      const sshsig = allowing([MalformedToken], () => parseSshsig(input));
      allowing([MalformedToken], () => parseExe0(`exe0.e30.${input.toString('base64url')}`));
      if (!sshsig || !verifySshsig(sshsig, message)) return;
      expectThat(isOfCorpus(input), 'a signature that holds, and is not the one that was made');
    },
    close: async () => {},
  }),
};
