/** When a connection by token, or by a key that expires, ends. */
import { expect, it } from 'vitest';
import { provenIdentity } from '../../../src/auth/identity.ts';
import { addUntilExpiry } from '../../../src/sessions/connection-expiry.ts';
import { createConnections } from '../../../src/sessions/create-connections.ts';

const startMs = 1_800_000_000_000;
const cmds = ['ssh'];

const keyExpiresAt = new Date(startMs + 1000).toISOString();
const names = { accountId: 'a', accountName: 'alice', keyId: 'k', fingerprint: 'SHA256:x' };
const source = { address: '192.0.2.7', port: 1 };

it.each([
  ['its exp', 'token', { token: { cmds, exp: startMs / 1000 + 1 } }],
  ['the end of what was shown in its stead', 'token', { token: { cmds, until: startMs / 1000 + 1 } }],
  [
    'whichever is sooner',
    'token',
    { token: { cmds, exp: startMs / 1000 + 3600, until: startMs / 1000 + 1 } },
  ],
  ['the end of its key (expired-meanwhile)', 'key', { keyExpiresAt }],
  [
    'the end of the key that it was jumped with',
    'key',
    { outer: provenIdentity({ ...names, keyExpiresAt, source }) },
  ],
])('at %s, and not before', async (_what, ended, by) => {
  const begunMs = Date.now();
  const clock = { now: () => startMs + Date.now() - begunMs };
  const identity = provenIdentity({ ...names, ...by, source });
  const closed = new Promise<string>((close) => {
    const connection = { id: 'c', identity, openedAt: '', close };
    addUntilExpiry(createConnections(), clock)(connection);
  });
  expect(await closed).toContain(`the ${ended} you are connected with has expired`);
  expect(clock.now() - startMs).toBeGreaterThanOrEqual(1000);
});
