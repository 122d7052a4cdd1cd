/** Who leaves while a login is being looked at is not let in any more, whatever the answer is. */
import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import ssh2, { type Client } from 'ssh2';
import { expect, it } from 'vitest';
import type { Identity } from '../../src/auth/identity.ts';
import { provenIdentity } from '../../src/auth/identity.ts';
import type { LiveConnection } from '../../src/sessions/connections.ts';
import { openBareDoor } from '../support/bare-door.ts';
import { connectRaw } from '../support/raw-client.ts';

const identityAt = (source: Identity['source']) =>
  provenIdentity({ accountId: 'a', accountName: 'a', keyId: 'k', fingerprint: 'SHA256:test', source });

it('a jump whose channel is closed meanwhile leaves no connection in the list', async () => {
  const connections = new Set<LiveConnection>();
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const door = await openBareDoor(
    {},
    {
      authenticator: {
        probe: async () => 'known',
        async authenticate({ source, outer }) {
          if (!outer) return identityAt(source);
          asked.resolve();
          await answer.promise;
          return identityAt(source);
        },
        probeApplicant: async () => ({ refused: 'invite' }),
        authenticateApplicant: async () => ({ refused: 'invite' }),
        proveCode: async () => ({ refused: 'wrong code', final: true, detail: '' }),
      },
      resolveJump: async () => ({ target: 'web' }),
      addConnection(connection) {
        connections.add(connection);
        return () => void connections.delete(connection);
      },
    },
  );
  const privateKey = await readFile(door.key.file);
  const client = await connectRaw(door.port, { privateKey });
  const channel = await jumpThrough(client);
  const inner = new ssh2.Client();
  inner.on('error', () => {});
  inner.connect({ sock: channel, username: '', privateKey });
  await asked.promise;
  expect(connections.size).toBe(1);
  const closings = () => door.logged().filter(({ audit }) => audit === 'connection-closed').length;
  (channel as Duplex & { close(): void }).close();
  await expect.poll(closings).toBe(1);
  answer.resolve();
  // All that the answer leads to has happened then.
  await new Promise(setImmediate);
  expect(connections.size).toBe(1);
  expect(door.logged().filter(({ audit }) => audit === 'login-accepted')).toHaveLength(1);
  client.end();
  await expect.poll(() => connections.size).toBe(0);
  await door.close();
});

const jumpThrough = (client: Client) =>
  new Promise<Duplex>((resolve, reject) =>
    client.forwardOut('', 0, 'web', 22, (error, channel) =>
      error ? reject(error) : resolve(channel as never),
    ),
  );
