import type { Principal } from '../../auth/authorizer.ts';
import { findOperatorPrincipal } from '../../auth/operator.ts';
import { GatewayError } from '../../errors.ts';

/** The id of the account whose keys these are. Throws `usage` for the operator, who has neither account nor keys. */
export function ownAccountId({ identity, account }: Principal): string {
  if (!findOperatorPrincipal(identity)) return account.id;
  throw new GatewayError('usage', {
    problem:
      'the operator has no keys; "account show NAME" and "account add-key NAME" work on an account\'s.',
  });
}
