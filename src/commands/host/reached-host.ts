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
