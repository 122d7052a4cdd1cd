import { GatewayError } from '../../errors.ts';
import type { KeyToAdd } from '../../keys/keys.ts';
import { parseKeysToAdd } from '../../keys/parse-keys-to-add.ts';
import type { Command, CommandContext } from '../command.ts';
import { allWords, oneWord, optionText } from '../text-parts.ts';
import { accountAnswer } from './account-data.ts';
import { parseRole } from './parse-role.ts';

export const command: Command = {
  path: ['account', 'add'],
  summary: 'make an account, with its first key if you have it',
  description:
    'Without a key nobody can log in to it yet: "account add-key" adds one later. "invite create" lets people join by themselves.',
  examples: ['ssh GATEWAY account add alice "$(cat alice.pub)"', 'ssh GATEWAY account add ci --role=member'],
  positionals: [
    { name: 'NAME', required: true },
    { name: 'PUBLIC-KEY', variadic: true },
  ],
  options: {
    role: { type: 'string', placeholder: 'ROLE', describe: 'admin or member (default)' },
    email: { type: 'string', placeholder: 'E', describe: 'an address for it' },
  },
  permission: 'admin',
  outlasts: true,
  secondFactor: 'proven',
  changes: true,
  async run({ positionals, options }, context) {
    const { accounts, keys } = context;
    const role = parseRole(optionText(options['role']) ?? 'member');
    const email = parseEmail(optionText(options['email']));
    const words = allWords(positionals['PUBLIC-KEY']);
    const toAdd = words.length > 0 ? parseKeysToAdd(words.join(' ')) : [];
    await checkFree(toAdd, context);
    const name = oneWord(positionals['NAME']) ?? '';
    const row = await accounts.add({
      name,
      role,
      ...(email === undefined ? {} : { email }),
      origin: 'admin',
    });
    if (toAdd.length > 0) await keys.add(row.id, toAdd, {});
    return accountAnswer(
      row,
      `Added account "${row.name}" (${row.role})${toAdd.length > 0 ? ' with its key' : ''}.`,
    );
  },
};

/** Before the account exists: a name is used up by making an account. */
async function checkFree(toAdd: readonly KeyToAdd[], { keys }: CommandContext): Promise<void> {
  for (const { key } of toAdd) {
    if (await keys.findByFingerprint(key.fingerprint)) throw new GatewayError('foreign-key', {});
  }
}

function parseEmail(text: string | undefined): string | undefined {
  if (text === undefined || /^[^\s@\p{Cc}]{1,64}@[^\s@\p{Cc}]{1,190}$/u.test(text)) return text;
  throw new GatewayError('usage', { problem: '--email takes an address like alice@example.com.' });
}
