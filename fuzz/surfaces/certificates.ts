/** OpenSSH certificates (PROTOCOL.certkeys). */
import { MalformedBlob } from '../../src/keys/blob-reader.ts';
import { isCertificateBlob, isSignedByAuthority, parseCertificate } from '../../src/keys/certificate.ts';
import { corpus } from '../corpus.ts';
import { mutant } from '../mutate.ts';
import { allowing, expectThat, type Surface } from '../surface.ts';

const blobs = corpus.certificates.map((text) => Buffer.from(text, 'base64'));
const signedParts = new Set(blobs.map((blob) => parseCertificate(blob).signed.toString('base64')));

export const certificates: Surface = {
  pace: 'in this process',
  open: async () => ({
    generate: (random) => mutant(blobs, random),
    run(input) {
      const certificate = allowing([MalformedBlob], () => parseCertificate(input));
      if (!certificate) return;
      expectThat(isCertificateBlob(input), 'a certificate that is not known as one');
      if (!isSignedByAuthority(certificate)) return;
      expectThat(signedParts.has(certificate.signed.toString('base64')), 'signed, and changed since');
    },
    close: async () => {},
  }),
};
