import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAuthorizer } from '../../../src/auth/create-authorizer.ts';
import { createConnections } from '../../../src/sessions/create-connections.ts';
import { watchRevocations } from '../../../src/sessions/revocation.ts';
import { config } from '../../support/access.ts';
import { identityOf, putAccount, putKey, startOfTests } from '../../support/people.ts';
import { makeServedFolder, openStoreClient } from '../../support/store-over-ipc.ts';

describe('a key that is removed while the process of its connection hears of no changes', () => {
  it('ends the connection as soon as there is somebody to ask again, and no connection of another key', async () => {
    const folder = await makeServedFolder();
    onTestFinished(() => folder.remove());
    const first = await folder.serve();
    const { store, supervisor } = openStoreClient(folder.path);
    onTestFinished(() => supervisor.close());
    const authorizer = createAuthorizer({ store, clock: { now: () => startOfTests }, config });
    const connections = createConnections();
    watchRevocations({ store, authorizer, connections, log: pino({ level: 'silent' }) });
    const ada = await putAccount(store, 'ada');
    const closed: string[] = [];
    for (const name of ['kept', 'lost']) {
      const identity = identityOf(ada, await putKey(store, ada, name));
      await authorizer.principal(identity);
      connections.addConnection({ id: name, identity, openedAt: '', close: () => closed.push(name) });
    }
    const [, lost] = connections.listConnections();
    await first.listener.close();
    await first.store.transact((t) => t.remove('keys', lost?.identity.keyId as string));
    await first.store.close();
    await folder.serve();
    await expect.poll(() => closed).toEqual(['lost']);
  });
});
