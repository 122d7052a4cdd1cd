/** For configurations that let nobody in whom the audit could not tell of. */
import { GatewayError } from '../errors.ts';
import type { Authorizer } from './authorizer.ts';
import { findOperatorPrincipal } from './operator.ts';

/** The same authorizer, but nobody is a principal while `problem` tells one; the operator is, who must be able to mend it. */
export function withAuditRequired(authorizer: Authorizer, problem: () => string | undefined): Authorizer {
  return {
    ...authorizer,
    async principal(identity) {
      const reason = problem();
      if (reason !== undefined && !findOperatorPrincipal(identity)) {
        throw new GatewayError('audit-unavailable', { reason });
      }
      return authorizer.principal(identity);
    },
  };
}
