/**
 * Writes corpus.json: what is public of keys, certificates, signatures and tokens that were made for this and forgotten.
 * Kept, not made at each run, so that a seed means the same inputs everywhere: `node fuzz/make-corpus.ts`.
 */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ecdsaSigner,
  ed25519Signer,
  forgeToken,
  rsaSigner,
  securityKeySigner,
  type TokenSigner,
} from '../test/support/tokens.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-corpus-'));
const keygen = (...args: string[]) => execFileSync('ssh-keygen', args, { encoding: 'utf8', cwd: folder });

const kinds = [
  ['ed25519', '256'],
  ['ecdsa', '256'],
  ['ecdsa', '384'],
  ['ecdsa', '521'],
  ['rsa', '2048'],
] as const;
keygen('-q', '-t', 'ed25519', '-N', '', '-f', 'authority');
const keyFiles: string[] = [];
const certificates: string[] = [];
for (const [type, bits] of kinds) {
  const name = `${type}-${bits}`;
  keygen('-q', '-t', type, '-b', bits, '-N', '', '-C', `${type} of a corpus`, '-f', name);
  keyFiles.push(readFileSync(join(folder, `${name}.pub`), 'utf8'));
  for (const form of ['RFC4716', 'PKCS8', 'PEM']) {
    if (form === 'RFC4716' || type !== 'ed25519')
      keyFiles.push(keygen('-e', '-m', form, '-f', `${name}.pub`));
  }
  const options = ['-O', 'source-address=127.0.0.0/8', '-O', 'force-command=whoami', '-O', 'no-pty'];
  keygen(
    '-q',
    '-s',
    'authority',
    '-I',
    'a corpus',
    '-n',
    'alice,bob',
    '-V',
    '+52w',
    '-z',
    '7',
    ...options,
    `${name}.pub`,
  );
  certificates.push(readFileSync(join(folder, `${name}-cert.pub`), 'utf8').split(' ')[1] as string);
}
const { publicKey } = generateKeyPairSync('ed25519');
keyFiles.push(publicKey.export({ format: 'pem', type: 'spki' }) as string);
rmSync(folder, { recursive: true });

const signers: Record<string, TokenSigner> = {
  'ssh-ed25519': ed25519Signer(),
  'ecdsa-sha2-nistp256': ecdsaSigner(256),
  'ecdsa-sha2-nistp384': ecdsaSigner(384),
  'ecdsa-sha2-nistp521': ecdsaSigner(521),
  'rsa-sha2-512': rsaSigner(),
  'sk-ssh-ed25519@openssh.com': securityKeySigner('ed25519'),
  'sk-ecdsa-sha2-nistp256@openssh.com': securityKeySigner('ecdsa'),
};
const signedData = Buffer.from('what was signed');
const permissions = '{"exp":4000000000,"cmds":["ls","ssh web"],"ctx":{"a":[1,"\u00e9"]}}';
const signatures = Object.entries(signers).map(([algorithm, signer]) => ({
  algorithm,
  key: signer.blob.toString('base64'),
  signature: signer.sign(signedData).toString('base64'),
  token: forgeToken(signer, { permissions }),
}));
const corpus = { keyFiles, certificates, signedData: signedData.toString(), permissions, signatures };
writeFileSync(join(import.meta.dirname, 'corpus.json'), `${JSON.stringify(corpus, undefined, 2)}\n`);
