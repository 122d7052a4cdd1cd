/** `postern backup FILE`: what the running gateway is, in one file. */
import { link, readFile, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { encryptTo } from '../backup/age-file.ts';
import { GatewayError } from '../errors.ts';
import type { PublicKey } from '../keys/key-types.ts';
import { parseKeysToAdd } from '../keys/parse-keys-to-add.ts';
import { holdsPrivateKey } from '../keys/private-key.ts';
import { syncFolder, writeNew } from '../platform/durable-file.ts';
import { excerpt } from '../platform/excerpt.ts';
import { randomId } from '../platform/ids.ts';
import { isThere } from '../platform/is-there.ts';
import { systemReason } from '../platform/system-reason.ts';
import { callGateway, tell } from './call-gateway.ts';
import { parseFlags } from './parse-flags.ts';
import type { CliCommand } from './run-cli.ts';

export const dataFlag = {
  type: 'string',
  requiresArg: true,
  describe: "the gateway's data folder (default ./data)",
} as const;

const flags = {
  data: dataFlag,
  'encrypt-to': {
    type: 'string',
    requiresArg: true,
    describe: 'SSH public key (ed25519 or RSA), or the file of one: "age -d -i KEY FILE" opens the backup',
  },
} as const;

const usage = `FILE [FLAGS]

Copies what a running gateway is to FILE: the store, host keys, egress key and identity files, of one moment.
Not the audit and recordings: those are logs, and stay where they are.`;

export const backup: CliCommand = async (args, terminal) => {
  const parsed = await parseFlags(args, { name: 'postern backup', usage, flags, maxWords: 1 }, terminal);
  if (!parsed) return 0;
  const [file] = parsed.words;
  if (file === undefined) {
    throw new GatewayError('usage', {
      problem: 'name the file for the backup: postern backup FILE [--data DIR].',
    });
  }
  const { 'encrypt-to': encryptToKey, data = terminal.env['POSTERN_DATA_DIR'] ?? './data' } = parsed.flags;
  const key = encryptToKey === undefined ? undefined : await readKey(encryptToKey);
  // Where that cannot be told, writing it will say why.
  if (await isThere(file).catch(() => false)) throw exists(file);
  const { response, body } = await callGateway(data, { line: 'backup', stdin: '' });
  if (response.exitStatus !== 0) return tell(response, terminal);
  await writeWhole(file, key ? await encryptTo(key, body) : body);
  const sealed = key ? `, encrypted to ${key.fingerprint}` : '';
  const advice = key
    ? 'whoever can open it can be this gateway.'
    : 'whoever can read it can be this gateway, so keep it as you keep those (--encrypt-to SSH-KEY encrypts it).';
  terminal.stdout.write(
    `Backed up to ${file}${sealed}. It holds the host keys, the egress key, identity files and the second-factor seeds: ${advice}\n`,
  );
  return 0;
};

/** A key itself, or the file of one. */
async function readKey(text: string): Promise<PublicKey> {
  const isKey = /^(ssh|ecdsa|sk)-\S+ \S+/.test(text);
  const lines = isKey
    ? text
    : await readFile(text, 'utf8').catch((cause) => Promise.reject(unreadable(text, cause)));
  if (holdsPrivateKey(lines)) {
    throw new GatewayError('usage', {
      problem: 'that is a private key; --encrypt-to takes the public one, its .pub file.',
    });
  }
  const [first, ...more] = parseKeysToAdd(lines);
  if (!first || more.length > 0) {
    throw new GatewayError('usage', { problem: 'name exactly one public key after --encrypt-to.' });
  }
  return first.key;
}

const unreadable = (file: string, cause: unknown) =>
  new GatewayError('usage', {
    problem: `--encrypt-to takes a public key or the file of one; "${excerpt(file)}" cannot be read (${systemReason(cause)}).`,
  });

const exists = (file: string) =>
  new Error(
    `no backup was made: ${file} exists already; a backup is never written over a file, so choose another name.`,
  );

/** Mode 0600, whole or not at all, and never over a file that came meanwhile. */
async function writeWhole(file: string, content: Buffer): Promise<void> {
  const temporary = `${file}.${randomId(8)}.tmp`;
  try {
    await writeNew(temporary, content, 0o600);
    await link(temporary, file);
    await syncFolder(dirname(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists(file);
    const problem = `no backup was made: ${file} cannot be written (${systemReason(error)}).`;
    throw new Error(problem, { cause: error });
  } finally {
    await unlink(temporary).catch(() => {});
  }
}
