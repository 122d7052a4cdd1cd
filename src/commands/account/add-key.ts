import type { Command } from '../command.ts';
import { keyData } from '../ssh-key/key-data.ts';
import { keyOptions, readKeyOptions, readKeys } from '../ssh-key/read-keys.ts';
import { allWords, oneWord } from '../text-parts.ts';

export const command: Command = {
  path: ['account', 'add-key'],
  summary: "register a public key with somebody's account",
  examples: [
    'cat alice.pub | ssh GATEWAY account add-key alice',
    'postern account add-key admin < new-key.pub',
  ],
  positionals: [
    { name: 'NAME', required: true, completes: 'account' },
    { name: 'PUBLIC-KEY', variadic: true },
  ],
  options: keyOptions,
  permission: 'admin',
  outlasts: true,
  secondFactor: 'proven',
  changes: true,
  async run(args, context) {
    const { accounts, keys, principal } = context;
    const account = await accounts.getByName(oneWord(args.positionals['NAME']) ?? '');
    const options = readKeyOptions(args, context);
    const toAdd = await readKeys(allWords(args.positionals['PUBLIC-KEY']), context);
    const data = (await keys.add(account.id, toAdd, options)).map((row) => keyData(row, principal));
    return {
      data: data.length === 1 ? data[0] : { ssh_keys: data },
      text: data
        .map(({ name, fingerprint }) => `Added "${name}" ${fingerprint} to ${account.name}`)
        .join('\n'),
    };
  },
};
