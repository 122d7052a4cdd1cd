import { parseExpiry } from '../../keys/expiry.ts';
import type { KeyToAdd } from '../../keys/keys.ts';
import { parseKeysToAdd } from '../../keys/parse-keys-to-add.ts';
import { parseTag } from '../../targets/tags.ts';
import type { Arguments, CommandContext, Option } from '../command.ts';
import { optionText } from '../text-parts.ts';

/** Room for a full account of large keys. */
const maxBytes = 1024 * 1024;

/** Public keys given as words of the line, or on stdin. Throws invalid-key, private-key, usage. */
export async function readKeys(
  words: readonly string[],
  context: CommandContext,
): Promise<readonly KeyToAdd[]> {
  const text = words.length > 0 ? words.join(' ') : await context.readStdin(maxBytes);
  if (text.trim() === '') {
    throw context.usage(
      'give the public key as an argument, or on stdin as in "cat KEY.pub | ssh GATEWAY ssh-key add"',
    );
  }
  return parseKeysToAdd(text);
}

export const keyOptions: Readonly<Record<string, Option>> = {
  name: { type: 'string', placeholder: 'N', describe: "what to call it (default: the key's comment)" },
  tag: { type: 'string', placeholder: 'T', describe: 'the key reaches only targets with this tag' },
  exp: {
    type: 'string',
    placeholder: '90d',
    describe: 'how long it is good: 90d, 12h, 1y, a date, or never',
  },
  yes: { type: 'boolean', describe: 'add it even if it was removed before' },
};

/** What --name, --tag, --exp and --yes say. Throws `usage`. */
export function readKeyOptions({ options }: Arguments, { clock }: CommandContext) {
  const name = optionText(options['name']);
  const tag = optionText(options['tag']);
  const exp = optionText(options['exp']);
  const expiresAt = exp === undefined ? undefined : parseExpiry(exp, clock.now());
  return {
    ...(name === undefined ? {} : { name }),
    ...(tag === undefined ? {} : { tag: parseTag(tag) }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(options['yes'] === true ? { readd: true } : {}),
  };
}
