import { GatewayError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { allWords } from '../text-parts.ts';
import { hostData } from './host-data.ts';
import { getReachedHost } from './reached-host.ts';

export const command: Command = {
  path: ['host', 'remove'],
  summary: 'take a server behind the gateway out, and who it was shared with',
  examples: ['ssh GATEWAY host remove production-db'],
  positionals: [{ name: 'NAME|ID', required: true, variadic: true }],
  options: {},
  permission: 'unrestricted',
  changes: true,
  async run({ positionals }, context) {
    const { hosts, authorizer, principal } = context;
    const host = await getReachedHost(allWords(positionals['NAME|ID']).join(' '), context);
    if (!authorizer.mayManage(await authorizer.principal(principal.identity), await hosts.asTarget(host))) {
      const what = `"host remove" on ${host.name}`;
      throw new GatewayError('not-allowed', { what, who: 'admins and whoever registered it' });
    }
    await hosts.remove(host);
    return { data: { removed: hostData(host, context) }, text: `Removed "${host.name}".` };
  },
};
