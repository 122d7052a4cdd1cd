/** A gateway, a Debian container behind it, and keys of every type that may enter. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContainer } from '../../support/containers.ts';
import { startSocketContainer } from '../../support/forward.ts';
import { startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { type MessageTap, tapMessages } from '../../support/message-tap.ts';
import { type KeyPair, makeKeyPair } from '../../support/ssh-client.ts';
import { type KeyType, keyTypes, type Visit } from './client.ts';

export const largeBytes = 50 * 1024 * 1024;

/** Longer than a second, at which clients are told to speak by themselves. */
const keepaliveIntervalMs = 1_200;

export interface LocalFile {
  readonly path: string;
  readonly content: Buffer;
  readonly hash: string;
}

export interface Bench {
  readonly door: TestGateway;
  readonly container: TestContainer;
  readonly tap: MessageTap;
  readonly large: LocalFile;
  /** For key exchanges to happen in between. */
  readonly medium: LocalFile;
  readonly small: LocalFile;
  readonly fingerprints: Readonly<Record<KeyType, string>>;
  /** A fresh visit to the container as root. */
  readonly visit: (wishes?: Partial<Visit> & { keyType?: KeyType }) => Promise<Visit>;
  readonly close: () => Promise<void>;
}

export const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

export async function openBench(): Promise<Bench> {
  const tap = tapMessages();
  const [door, container, folder] = await Promise.all([
    startTestGateway({ config: { keepaliveIntervalMs } }),
    startSocketContainer(),
    mkdtemp(join(tmpdir(), 'postern-clients-')),
  ]);
  const keys = new Map<KeyType, KeyPair>();
  for (const type of keyTypes) {
    const key = await makeKeyPair(type);
    const added = await door.ssh('ssh-key add', { stdin: `${key.publicKey}\n` });
    if (added.status !== 0) throw new Error(added.stderr);
    keys.set(type, key);
  }
  const keyOf = (type: KeyType) => keys.get(type) as KeyPair;
  const hostKey = door.gateway.hostKeys.find(({ type }) => type === 'ssh-ed25519');
  return {
    door,
    container,
    tap,
    large: await randomFile(join(folder, 'large'), largeBytes),
    medium: await randomFile(join(folder, 'medium'), 20 * 1024 * 1024),
    small: await randomFile(join(folder, 'small'), 300_001),
    fingerprints: Object.fromEntries(
      keyTypes.map((type) => [type, keyOf(type).fingerprint]),
    ) as Bench['fingerprints'],
    visit: async ({ keyType = 'ed25519', ...wishes } = {}) => ({
      port: door.port,
      login: `rexec-${container.name}`,
      key: keyOf(keyType).file,
      knownHosts: door.knownHosts,
      hostKeyFingerprint: hostKey?.fingerprint ?? '',
      folder: await mkdtemp(join(folder, 'visit-')),
      ...wishes,
    }),
    close: async () => {
      await door.stop();
      await container.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function randomFile(path: string, bytes: number): Promise<LocalFile> {
  const content = randomBytes(bytes);
  await writeFile(path, content);
  return { path, content, hash: sha256(content) };
}

/** The hash of a file in the container. */
export const remoteHash = async (container: TestContainer, path: string): Promise<string> =>
  (await container.sh(`sha256sum ${path}`)).split(' ')[0] as string;

export const localHash = async (path: string): Promise<string> => sha256(await readFile(path));
