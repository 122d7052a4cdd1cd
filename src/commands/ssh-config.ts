import type { Command } from './command.ts';
import { knownHostsText, parseAlias, parseIdentityFile, sshConfigText } from './ssh-config-text.ts';
import { optionText } from './text-parts.ts';

export const command: Command = {
  path: ['ssh-config'],
  summary: 'a ready ssh_config for your targets, or known_hosts lines',
  description:
    'Then "ssh rexec-NAME" reaches any target you may enter, also one made tomorrow; scp, sftp, rsync and editors too.',
  examples: [
    'ssh GATEWAY ssh-config > ~/.ssh/postern.conf   # then put "Include postern.conf" at the top of ~/.ssh/config',
    'ssh GATEWAY ssh-config --known-hosts >> ~/.ssh/known_hosts',
    'ssh GATEWAY ssh-config --identity-file=~/.ssh/work --name=work',
  ],
  positionals: [],
  options: {
    name: { type: 'string', placeholder: 'ALIAS', describe: "the gateway's alias (default postern)" },
    'identity-file': { type: 'string', placeholder: 'F', describe: 'the private key to use, in every block' },
    'known-hosts': { type: 'boolean', describe: "known_hosts lines of the gateway's host keys instead" },
  },
  permission: 'anyone',
  async run({ options }, { config: { targetPrefix }, endpoint, principal }) {
    const identityFile = optionText(options['identity-file']);
    const { name } = principal.account;
    const facts = {
      endpoint: endpoint(),
      alias: parseAlias(optionText(options['name']) ?? 'postern', targetPrefix),
      // A login name that begins like a target's would be taken for one.
      loginName: name.startsWith(targetPrefix) ? 'postern' : name,
      targetPrefix,
      ...(identityFile === undefined ? {} : { identityFile: parseIdentityFile(identityFile) }),
    };
    const text = options['known-hosts'] === true ? knownHostsText(facts) : sshConfigText(facts);
    return { data: { text }, text };
  },
};
