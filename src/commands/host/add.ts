import { GatewayError } from '../../errors.ts';
import { parseDestination, parsePorts } from '../../hosts/destination.ts';
import type { Command, CommandContext } from '../command.ts';
import { allWords, optionText } from '../text-parts.ts';
import { hostData } from './host-data.ts';
import { getReachedHost } from './reached-host.ts';

export const command: Command = {
  path: ['host', 'add'],
  summary: 'register a server that is reached through the gateway',
  description:
    'People log in to it end to end, each with their own key, unless it has an identity file: a private key that the\n' +
    'operator put into DATA/identities on the gateway (mode 0600), which the gateway then logs in with for them.',
  examples: [
    'ssh GATEWAY host add "Production DB" ubuntu@db.example.com --ports=5432',
    "ssh GATEWAY host add legacy 'admin@[2001:db8::7]:2200' --identity-file=legacy --shared",
  ],
  positionals: [
    { name: 'NAME', required: true },
    { name: 'USER@HOSTNAME[:PORT]', required: true, variadic: true },
  ],
  options: {
    'identity-file': {
      type: 'string',
      placeholder: 'FILE',
      describe: 'a key in DATA/identities (for admins)',
    },
    ports: {
      type: 'string',
      placeholder: '5432,8080',
      describe: 'other ports of it that may be forwarded to',
    },
    via: { type: 'string', placeholder: 'HOST', describe: 'the registered host it is reached through' },
    shared: { type: 'boolean', describe: 'every account may reach it' },
  },
  permission: 'unrestricted',
  outlasts: true,
  changes: true,
  async run({ positionals, options }, context) {
    const { hosts, principal } = context;
    refuseOthers(context);
    const identityFile = optionText(options['identity-file']);
    const ports = optionText(options['ports']);
    const via = optionText(options['via']);
    // The shell that ran ssh took the quotes off a name of several words: all words but the last are the name.
    const words = [positionals['NAME'], positionals['USER@HOSTNAME[:PORT]']].flatMap(allWords);
    const host = await hosts.add(
      {
        name: words.slice(0, -1).join(' '),
        ...parseDestination(words.at(-1) ?? ''),
        ...(identityFile === undefined ? {} : { identityFile }),
        ...(via === undefined ? {} : { via: await getReachedHost(via, context) }),
        ports: ports === undefined ? [] : parsePorts(ports),
        shared: options['shared'] === true,
      },
      { accountId: principal.account.id, isAdmin: principal.account.role === 'admin' },
    );
    const data = hostData(host, context);
    return { data, text: `Added "${host.name}". Connect with: ${data.ssh_command}` };
  },
};

/** Throws not-allowed for members, unless the configuration lets them. */
function refuseOthers({ config, principal: { account } }: CommandContext): void {
  if (account.role === 'admin' || config.membersMayAddHosts) return;
  throw new GatewayError('not-allowed', { what: '"host add"', who: 'admins' });
}
