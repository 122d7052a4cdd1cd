import { expect, it } from 'vitest';
import type { Authenticator, SignedRequest } from '../../../src/auth/authenticator.ts';
import { type AwaitsCode, withSecondFactor } from '../../../src/auth/second-step.ts';
import { identity } from '../../support/session-io.ts';

function openLogin() {
  let isKeyThere = true;
  const remembered: string[] = [];
  const authenticator: Authenticator = {
    probe: async () => 'known',
    authenticate: async () => (isKeyThere ? identity : { refused: 'unknown' }),
    probeApplicant: async () => ({ refused: 'invite' }),
    authenticateApplicant: async () => ({ refused: 'invite' }),
  };
  const login = withSecondFactor(authenticator, {
    neededFor: async () => 'code',
    check: async () => 'right',
    remember: async ({ keyId }) => void remembered.push(keyId),
  });
  const removeKey = () => {
    isKeyThere = false;
  };
  return { login, removeKey, remembered };
}

const request = { source: identity.source } as SignedRequest;

it('a right code lets in whoever has proven a key', async () => {
  const { login, remembered } = openLogin();
  const awaits = (await login.authenticate(request)) as AwaitsCode;
  expect(await login.proveCode(awaits, '123456')).toMatchObject({ keyId: 'key', secondFactor: 'proven' });
  expect(remembered).toEqual(['key']);
});

it('removed-while-asked: a key that is removed while its code is awaited lets nobody in any more', async () => {
  const { login, removeKey, remembered } = openLogin();
  const awaits = (await login.authenticate(request)) as AwaitsCode;
  removeKey();
  expect(await login.proveCode(awaits, '123456')).toMatchObject({ refused: 'account gone', final: true });
  expect(remembered).toEqual([]);
});
