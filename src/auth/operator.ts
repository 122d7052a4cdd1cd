/**
 * The operator of the machine: whoever may open DATA/control.sock. The kernel has checked that, so this
 * identity needs no signature; it exists on the control door only and has no key and no account.
 */
import type { AccountRow, KeyRow } from '../store/schema.ts';
import type { Principal } from './authorizer.ts';
import { type Identity, provenIdentity } from './identity.ts';

const operators = new WeakSet<Identity>();

export function operatorIdentity(): Identity {
  const identity = provenIdentity({
    accountId: 'operator',
    accountName: 'operator',
    keyId: 'operator',
    fingerprint: 'control.sock',
    source: { address: 'local', port: 0 },
  });
  operators.add(identity);
  return identity;
}

/** The operator's rights, or undefined for everybody else. */
export function findOperatorPrincipal(identity: Identity): Principal | undefined {
  if (!operators.has(identity)) return undefined;
  const account: AccountRow = {
    id: 'operator',
    name: 'operator',
    role: 'admin',
    disabled: false,
    createdAt: '1970-01-01T00:00:00.000Z',
    origin: 'operator',
  };
  const key: KeyRow = {
    id: 'operator',
    accountId: 'operator',
    name: 'control.sock',
    fingerprint: 'control.sock',
    publicKey: '',
    keyType: '',
    kind: 'user',
    createdAt: account.createdAt,
    restrictions: {},
  };
  // Whoever may open the socket rules the gateway anyway, and must be able to help an admin without a phone.
  const secondFactor = { enrolled: false, required: false, proof: 'proven' } as const;
  return { identity, account, key, restricted: false, secondFactor };
}
