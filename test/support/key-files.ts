/** Syncing keys into real containers, and what their files hold then. */

import type { LeftOut, ReachingKey } from '../../src/auth/reaching-keys.ts';
import { blockBegin, blockEnd } from '../../src/container-sshd/key-block.ts';
import { createSyncKeys, type SyncMode } from '../../src/container-sshd/sync-keys.ts';
import { createSlots } from '../../src/platform/slots.ts';
import type { AccountRow, KeyRow } from '../../src/store/schema.ts';
import type { ContainerEngine } from '../../src/targets/target.ts';
import { createTestEngine } from './container-engine.ts';
import { runContainer, type TestContainer } from './containers.ts';
import { images } from './engine.ts';
import { quickKey } from './keys.ts';

const account: AccountRow = {
  id: 'id-alice',
  name: 'alice',
  role: 'member',
  disabled: false,
  createdAt: '2026-01-01T00:00:00.000Z',
  origin: 'admin',
};

/** A key of alice's that reaches whatever it is asked about. */
export function reachingKey(
  name: string,
  facts: Partial<KeyRow> = {},
  allows: Partial<ReachingKey['allows']> = {},
): ReachingKey {
  const key: KeyRow = {
    id: `key-${name}`,
    accountId: account.id,
    name,
    fingerprint: `SHA256:${name}`,
    publicKey: quickKey(),
    keyType: 'ssh-ed25519',
    kind: 'user',
    createdAt: account.createdAt,
    restrictions: {},
    ...facts,
  };
  const all = { pty: true, forwarding: true, agentForwarding: true, sftp: true };
  return { account, key, allows: { ...all, ...allows } };
}

export type KeyFileTest = Awaited<ReturnType<typeof openKeyFileTest>>;

/** A running container whose sessions are those of `app` (root with `user: '0'`), and a sync into it. */
export async function openKeyFileTest({
  image = images.busybox,
  user = 'app',
  engine = createTestEngine(),
}: {
  image?: string;
  user?: string;
  engine?: ContainerEngine;
} = {}) {
  const container = await runContainer(image, ['-u', user]);
  let keys: readonly ReachingKey[] = [];
  const leftOut: LeftOut[] = [];
  const syncKeys = createSyncKeys({
    engine,
    slots: createSlots(),
    listReachingKeys: async () => ({ keys, leftOut }),
  });
  const target = async () => {
    const found = (await engine.list()).find(({ id }) => id === container.id);
    if (!found) throw new Error('the container is gone');
    return found;
  };
  return {
    container,
    engine,
    target,
    sync: async (wanted: readonly ReachingKey[], mode: SyncMode = 'all') => {
      keys = wanted;
      return syncKeys(await target(), mode);
    },
    /** Who owns it, its mode, and what it holds. */
    file: (path = '/home/app/.ssh/authorized_keys') => readFile(container, path),
    close: async () => {
      await engine.close();
      await container.remove();
    },
  };
}

async function readFile(container: TestContainer, path: string): Promise<string> {
  const [facts = '', ...lines] = (await container.sh(`stat -c '%U %a' ${path}; cat ${path}; echo .`)).split(
    '\n',
  );
  return `${facts}\n${lines.join('\n').replace(/\.$/, '')}`;
}

/** Our block, around these lines. */
export const block = (...lines: readonly string[]) =>
  [blockBegin, ...lines, blockEnd].map((line) => `${line}\n`).join('');

/** The line of a key without restrictions. */
export const lineOf = ({ key }: ReachingKey) => `${key.publicKey} alice: ${key.name}`;
