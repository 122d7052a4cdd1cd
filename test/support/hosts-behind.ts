/** A gateway with servers registered behind it, which it logs in to by itself. */
import { chmod, copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostRow } from '../../src/store/schema.ts';
import type { Store } from '../../src/store/store.ts';
import { startTestGateway, type TestGateway, type TestGatewayOptions, temporaryFile } from './gateway.ts';
import { type KeyPair, makeKeyPair, runProgram } from './ssh-client.ts';
import { dropStoreOf, openStoreOf } from './store-under-test.ts';

export interface HostsBehind extends TestGateway {
  readonly store: Store;
  /** What the identity file of the hosts holds. */
  readonly identity: KeyPair;
  /** Registers a server of 127.0.0.1 as an admin does, with its host keys pinned and the identity file. */
  readonly addHost: (name: string, port: number, more?: Partial<HostRow>) => Promise<HostRow>;
}

export async function startHostsBehind(options: TestGatewayOptions = {}): Promise<HostsBehind> {
  const above = await mkdtemp(join(tmpdir(), 'postern-hosts-'));
  const folders = { dataDir: join(above, 'data'), hostKeysDir: join(above, 'hostkeys') };
  const store = await openStoreOf(folders.dataDir);
  const identity = await makeKeyPair();
  const door = await startTestGateway({ ...options, folders, overrides: { ...options.overrides, store } });
  const folder = join(door.dataDir, 'identities');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await copyFile(identity.file, join(folder, 'id'));
  await chmod(join(folder, 'id'), 0o600);
  const [admin] = await store.list('accounts');
  return {
    ...door,
    store,
    identity,
    async stop() {
      await door.stop();
      await dropStoreOf(folders.dataDir);
      await rm(above, { recursive: true, force: true });
    },
    async addHost(name, port, more = {}) {
      const row: HostRow = {
        id: `host-${name}`,
        name,
        slug: name,
        hostname: '127.0.0.1',
        port,
        username: 'root',
        identityFile: 'id',
        hostKeys: more.hostKeys ?? (await hostKeysOf(port)),
        ports: [],
        shared: false,
        createdBy: admin?.id ?? '',
        createdAt: '2026-01-01T00:00:00.000Z',
        ...more,
      };
      await store.transact((transaction) => transaction.put('hosts', row));
      return row;
    },
  };
}

/** As ssh-keyscan sees them: `TYPE BASE64`. */
export async function hostKeysOf(port: number): Promise<string[]> {
  // By itself it would leave out a key that takes five seconds.
  const { text } = await runProgram('ssh-keyscan', ['-T', '30', '-p', String(port), '127.0.0.1']);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.split(' ').slice(1).join(' ')).toSorted();
}

/** Lines of sshd_config that let these keys in, whoever may write to the file. */
export async function lettingIn(...keys: readonly KeyPair[]): Promise<readonly string[]> {
  const authorized = await temporaryFile(
    'authorized_keys',
    keys.map(({ publicKey }) => `${publicKey}\n`).join(''),
  );
  return [`AuthorizedKeysFile ${authorized}`, 'StrictModes no'];
}
