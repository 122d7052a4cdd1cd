/** Backups as age files (age-encryption.org/v1), encrypted to one SSH key. */
import { armor, Decrypter, Encrypter } from 'age-encryption';
import { GatewayError } from '../errors.ts';
import type { PublicKey } from '../keys/key-types.ts';
import { readPrivateKey } from '../keys/read-private-key.ts';
import { createSshIdentity } from './ssh-identity.ts';
import { createSshRecipient } from './ssh-recipient.ts';

const magic = 'age-encryption.org/v1\n';
const armored = '-----BEGIN AGE ENCRYPTED FILE-----';

export const isAgeFile = (bytes: Buffer): boolean =>
  [magic, armored].some((beginning) => bytes.subarray(0, beginning.length).toString('latin1') === beginning);

/** Throws usage for a key of a type that nothing can be encrypted to. */
export async function encryptTo(key: PublicKey, plain: Buffer): Promise<Buffer> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(createSshRecipient(key));
  return Buffer.from(await encrypter.encrypt(plain));
}

/** `identity` is the text of a private key file. Throws usage where it does not open the file. */
export async function decryptWith(identity: string, encrypted: Buffer): Promise<Buffer> {
  const key = readPrivateKey(
    identity,
    'open the backup with it first, "age -d -i KEY FILE | postern restore -", or take the passphrase off a copy (ssh-keygen -p)',
  );
  const decrypter = new Decrypter();
  decrypter.addIdentity(createSshIdentity(key));
  try {
    const isArmored = encrypted.subarray(0, armored.length).toString('latin1') === armored;
    const bytes = isArmored ? armor.decode(encrypted.toString('latin1')) : encrypted;
    return Buffer.from(await decrypter.decrypt(bytes));
  } catch (cause) {
    const problem = `the backup cannot be opened with this key (${key.publicKey.fingerprint}): it was encrypted to another one, or is damaged.`;
    throw new GatewayError('usage', { problem }, { cause });
  }
}
