import { type Authorization, lacksRecording } from '../auth/authorization.ts';
import type { Authorizer } from '../auth/authorizer.ts';
import { GatewayError } from '../errors.ts';

/**
 * What is allowed now. Throws unless what was allowed is among it, and recorded where it must be: recording-missing,
 * target-not-found, and what the authorizer throws.
 */
export async function checkStands(authorizer: Authorizer, was: Authorization): Promise<Authorization> {
  const { identity, target, user } = was;
  const now = await authorizer.authorize({ identity }, target, user);
  // What was not recorded so far is not either from here on.
  if (lacksRecording(was, now)) throw new GatewayError('recording-missing', { target: target.name });
  if (!standsStill(was, now)) {
    const reachable = '"ls" shows what you can reach.';
    throw new GatewayError('target-not-found', { target: target.name, reachable });
  }
  return now;
}

/** What the gateway logged in with, on the way too, must still serve: a registrant who is no admin any more takes it along. */
function standsStill({ target }: Authorization, { target: now }: Authorization): boolean {
  if (target.kind !== 'host' || now.kind !== 'host') return true;
  const nowOnWay = new Map([...now.via, now].map((each) => [each.id, each.gatewayKeys]));
  return [...target.via, target].every(({ id, gatewayKeys: { identityFile, egressKey } }) => {
    const keys = nowOnWay.get(id);
    const isSameFile = identityFile === undefined || identityFile === keys?.identityFile;
    return isSameFile && (!egressKey || keys?.egressKey === true);
  });
}
