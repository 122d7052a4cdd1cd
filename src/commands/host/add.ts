import { GatewayError } from '../../errors.ts';
import { parseDestination, parsePorts, parseUsers } from '../../hosts/destination.ts';
import type { AddedHost, HostToAdd } from '../../hosts/hosts.ts';
import { parseHostKeys } from '../../hosts/pinned-keys.ts';
import type { Arguments, Command, CommandContext } from '../command.ts';
import { allWords, optionText } from '../text-parts.ts';
import { describeHost, type HostData, keyLines } from './host-data.ts';
import { getReachedHost } from './reached-host.ts';

export const command: Command = {
  path: ['host', 'add'],
  summary: 'register a server that is reached through the gateway',
  description:
    'People log in to it end to end, each with their own key, unless it has an identity file (a private key that the\n' +
    'operator put into DATA/identities on the gateway, mode 0600) or --egress-key: with these the gateway logs in for\n' +
    'them. The host keys that it shows are pinned and printed; --host-key gives them instead ("-": on stdin).',
  examples: [
    'ssh GATEWAY host add "Production DB" ubuntu@db.example.com --ports=5432',
    "ssh GATEWAY host add legacy 'admin@[2001:db8::7]:2200' --identity-file=legacy --users=backup --shared",
    'ssh-keyscan db.example.com | ssh GATEWAY host add db ubuntu@db.example.com --host-key=-',
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
    'egress-key': {
      type: 'boolean',
      describe: "the gateway's own key may log in, see host key (for admins)",
    },
    users: { type: 'string', placeholder: 'A,B', describe: 'others whom the gateway may log in as' },
    'host-key': { type: 'string', placeholder: 'KEY', describe: "its public host keys, or - for stdin's" },
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
  long: true,
  async run(args, context) {
    const { hosts, principal } = context;
    refuseOthers(context);
    const added = await hosts.add(await parseHost(args, context), {
      accountId: principal.account.id,
      isAdmin: principal.account.role === 'admin',
    });
    const data = await describeHost(added.host, context);
    const { unpinned } = added;
    return {
      data: unpinned ? { ...data, unpinned_because: unpinned.message } : data,
      text: addedText(data),
      ...noticeOf(added, data),
    };
  },
};

async function parseHost({ positionals, options }: Arguments, context: CommandContext): Promise<HostToAdd> {
  const [identityFile, ports, via, users, hostKey] = [
    'identity-file',
    'ports',
    'via',
    'users',
    'host-key',
  ].map((name) => optionText(options[name]));
  // The shell that ran ssh took the quotes off a name of several words: all words but the last are the name.
  const words = [positionals['NAME'], positionals['USER@HOSTNAME[:PORT]']].flatMap(allWords);
  const destination = parseDestination(words.at(-1) ?? '');
  return {
    name: words.slice(0, -1).join(' '),
    ...destination,
    ...(users === undefined ? {} : { users: parseUsers(users) }),
    ...(identityFile === undefined ? {} : { identityFile }),
    ...(options['egress-key'] === true ? { egressKey: true } : {}),
    ports: ports === undefined ? [] : parsePorts(ports),
    ...(hostKey === undefined
      ? {}
      : { hostKeys: parseHostKeys(hostKey === '-' ? await context.readStdin() : hostKey) }),
    ...(via === undefined ? {} : { via: await getReachedHost(via, context) }),
    shared: options['shared'] === true,
  };
}

function addedText({ name, slug, host_keys, ssh_command, egress_key }: HostData): string {
  return [
    `Added "${name}" (${slug}).`,
    ...(host_keys.length === 0
      ? []
      : [
          'Its host keys, pinned from now on; compare them with those of the server:',
          ...keyLines(host_keys),
        ]),
    ...(egress_key ? ['Put the line that "host key" prints into the authorized_keys of its users.'] : []),
    `Connect with: ${ssh_command}`,
  ].join('\n');
}

function noticeOf({ unpinned }: AddedHost, { name, slug }: HostData): { readonly notice?: string } {
  if (!unpinned) return {};
  return {
    notice: `"${name}" is unpinned, for its host keys could not be read: ${unpinned.message} The gateway does not log in there until "host trust ${slug} --yes".`,
  };
}

/** Throws not-allowed for members, unless the configuration lets them. */
function refuseOthers({ config, principal: { account } }: CommandContext): void {
  if (account.role === 'admin' || config.membersMayAddHosts) return;
  throw new GatewayError('not-allowed', { what: '"host add"', who: 'admins' });
}
