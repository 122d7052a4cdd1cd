/** When a connection by token ends. */
import { expect, it } from 'vitest';
import { provenIdentity } from '../../../src/auth/identity.ts';
import { addUntilExpiry } from '../../../src/sessions/connection-expiry.ts';
import { createConnections } from '../../../src/sessions/create-connections.ts';

const startMs = 1_800_000_000_000;
const cmds = ['ssh'];

it.each([
  ['its exp', { cmds, exp: startMs / 1000 + 1 }],
  ['the end of what was shown in its stead', { cmds, until: startMs / 1000 + 1 }],
  ['whichever is sooner', { cmds, exp: startMs / 1000 + 3600, until: startMs / 1000 + 1 }],
])('at %s, and not before', async (_what, token) => {
  const begunMs = Date.now();
  const clock = { now: () => startMs + Date.now() - begunMs };
  const source = { address: '192.0.2.7', port: 1 };
  const names = { accountId: 'a', accountName: 'alice', keyId: 'k', fingerprint: 'SHA256:x' };
  const identity = provenIdentity({ ...names, token, source });
  const ended = new Promise<string>((close) => {
    const connection = { id: 'c', identity, openedAt: '', close };
    addUntilExpiry(createConnections(), clock)(connection);
  });
  expect(await ended).toContain('the token you are connected with has expired');
  expect(clock.now() - startMs).toBeGreaterThanOrEqual(1000);
});
