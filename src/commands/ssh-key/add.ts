import type { Command } from '../command.ts';
import { allWords } from '../text-parts.ts';
import { keyData } from './key-data.ts';
import { ownAccountId } from './own-keys.ts';
import { keyOptions, readKeyOptions, readKeys } from './read-keys.ts';

export const command: Command = {
  path: ['ssh-key', 'add'],
  summary: 'register a public key with your account',
  description:
    'The key comes on stdin (one a line; several are added all or none) or as an argument. Options that ssh\n' +
    'knows from authorized_keys (from=, command=, restrict, no-pty, …) may stand in front of a key on stdin.',
  examples: [
    'cat ~/.ssh/id_ed25519.pub | ssh GATEWAY ssh-key add',
    'ssh GATEWAY ssh-key add --name=laptop --exp=90d "$(cat ~/.ssh/id_ed25519.pub)"',
  ],
  positionals: [{ name: 'PUBLIC-KEY', variadic: true }],
  options: keyOptions,
  permission: 'unrestricted',
  outlasts: true,
  secondFactor: 'proven',
  changes: true,
  async run(args, context) {
    const { keys, principal } = context;
    const accountId = ownAccountId(principal);
    const options = readKeyOptions(args, context);
    const toAdd = await readKeys(allWords(args.positionals['PUBLIC-KEY']), context);
    const rows = await keys.add(accountId, toAdd, options);
    const data = rows.map((row) => keyData(row, principal));
    return {
      data: data.length === 1 ? data[0] : { ssh_keys: data },
      text: data.map(({ name, fingerprint }) => `Added "${name}" ${fingerprint}`).join('\n'),
    };
  },
};
