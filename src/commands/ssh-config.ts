import { isRegisteredByAdmin } from '../hosts/host-target.ts';
import type { Command, CommandContext } from './command.ts';
import { describeHosts, listHosts } from './host/host-data.ts';
import type { SshConfigHost } from './ssh-config-hosts.ts';
import { knownHostsText, parseAlias, parseIdentityFile, sshConfigText } from './ssh-config-text.ts';
import { optionText } from './text-parts.ts';

export const command: Command = {
  path: ['ssh-config'],
  summary: 'a ready ssh_config for your targets, or known_hosts lines',
  description:
    'Then "ssh rexec-NAME" reaches any target you may enter, also a container made tomorrow; scp, sftp, rsync and editors\n' +
    'too. Registered hosts have a block each: print it again when there are new ones.',
  examples: [
    'ssh GATEWAY ssh-config > ~/.ssh/postern.conf   # then put "Include postern.conf" at the top of ~/.ssh/config',
    'ssh GATEWAY ssh-config --known-hosts >> ~/.ssh/known_hosts',
    'ssh GATEWAY ssh-config --identity-file=~/.ssh/work --name=work',
  ],
  positionals: [],
  options: {
    name: { type: 'string', placeholder: 'ALIAS', describe: "the gateway's alias (default postern)" },
    'identity-file': { type: 'string', placeholder: 'F', describe: 'the private key to use, in every block' },
    'known-hosts': {
      type: 'boolean',
      describe: 'known_hosts lines of the gateway and the pinned hosts instead',
    },
  },
  permission: 'anyone',
  async run({ options }, context) {
    const {
      config: { targetPrefix },
      endpoint,
      principal,
    } = context;
    const identityFile = optionText(options['identity-file']);
    const { name } = principal.account;
    const facts = {
      endpoint: endpoint(),
      alias: parseAlias(optionText(options['name']) ?? 'postern', targetPrefix),
      // A login name that begins like a target's would be taken for one.
      loginName: name.startsWith(targetPrefix) ? 'postern' : name,
      targetPrefix,
      hosts: await findHosts(context),
      ...(identityFile === undefined ? {} : { identityFile: parseIdentityFile(identityFile) }),
    };
    const text = options['known-hosts'] === true ? knownHostsText(facts) : sshConfigText(facts);
    return { data: { text }, text };
  },
};

async function findHosts(context: CommandContext): Promise<readonly SshConfigHost[]> {
  const { store, principal } = context;
  const rows = await listHosts(context);
  const described = await describeHosts(rows, context);
  return Promise.all(
    rows.map(async (row, index) => {
      const { way, identity_file, egress_key } = described[index] as (typeof described)[number];
      return {
        ...row,
        way,
        needsAgent: identity_file === null && !egress_key,
        hostKeys: row.hostKeys ?? [],
        isTrusted: row.createdBy === principal.account.id || (await isRegisteredByAdmin(store, row)),
      };
    }),
  );
}
