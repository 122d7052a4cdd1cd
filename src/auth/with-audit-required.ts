/** For configurations that let nobody in whom the audit could not tell of. */
import type { Invites } from '../accounts/accounts.ts';
import { GatewayError } from '../errors.ts';
import type { Authorizer } from './authorizer.ts';
import type { Identity } from './identity.ts';
import { findOperatorPrincipal } from './operator.ts';

/** The same authorizer, but nobody is a principal, or gets anywhere, while `problem` tells one; the operator does, who must be able to mend it. */
export function withAuditRequired(authorizer: Authorizer, problem: () => string | undefined): Authorizer {
  const check = (identity: Identity) => {
    if (!findOperatorPrincipal(identity)) checkAudit(problem);
  };
  return {
    ...authorizer,
    async principal(identity) {
      check(identity);
      return authorizer.principal(identity);
    },
    async authorize(who, target, user) {
      check(who.identity);
      return authorizer.authorize(who, target, user);
    },
  };
}

/** The same invites, but nobody joins by one meanwhile. */
export const joinedWithAudit = (invites: Invites, problem: () => string | undefined): Invites => ({
  ...invites,
  async redeem(...asked) {
    checkAudit(problem);
    return invites.redeem(...asked);
  },
});

function checkAudit(problem: () => string | undefined): void {
  const reason = problem();
  if (reason !== undefined) throw new GatewayError('audit-unavailable', { reason });
}
