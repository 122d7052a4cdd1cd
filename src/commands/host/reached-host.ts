import { GatewayError } from '../../errors.ts';
import { findHost } from '../../hosts/hosts.ts';
import { excerpt } from '../../platform/excerpt.ts';
import type { HostRow } from '../../store/schema.ts';
import type { CommandContext } from '../command.ts';
import { listHosts } from './host-data.ts';

/** The host of this id, slug or name, when the principal reaches it. Throws host-not-found, the same whether it is there or not. */
export async function getReachedHost(text: string, context: CommandContext): Promise<HostRow> {
  const host = findHost(await listHosts(context), text);
  if (!host) throw new GatewayError('host-not-found', { host: excerpt(text) });
  return host;
}

/** The same when it is theirs to manage: an admin's, or its registrant's. `what`: `host remove`. Throws not-allowed, too. */
export async function getManagedHost(text: string, what: string, context: CommandContext): Promise<HostRow> {
  const { authorizer, principal } = context;
  const host = await getReachedHost(text, context);
  if (authorizer.mayManageHost(await authorizer.principal(principal.identity), host)) return host;
  throw new GatewayError('not-allowed', {
    what: `"${what}" on ${host.name}`,
    who: 'admins and whoever registered it',
  });
}
