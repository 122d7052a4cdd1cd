import { createEnvFilter } from '../../config/accept-env.ts';
import { GatewayError } from '../../errors.ts';
import { parseExpiry } from '../../keys/expiry.ts';
import type { KeyToAdd } from '../../keys/keys.ts';
import { parseKeysToAdd } from '../../keys/parse-keys-to-add.ts';
import { excerpt } from '../../platform/excerpt.ts';
import { parseTag } from '../../targets/tags.ts';
import type { Arguments, CommandContext, Option } from '../command.ts';
import { optionText } from '../text-parts.ts';
import { readRestrictions, restrictionOptions } from './restriction-options.ts';

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
  const keys = parseKeysToAdd(text);
  const { acceptEnv } = context.config;
  for (const { restrictions } of keys) checkEnvironment(restrictions.environment ?? [], acceptEnv);
  return keys;
}

/** A variable that no target would let in is better refused now than missed later. Throws invalid-key. */
function checkEnvironment(entries: readonly string[], acceptEnv: readonly string[]): void {
  const isAccepted = createEnvFilter(acceptEnv);
  for (const entry of entries) {
    const name = entry.slice(0, entry.indexOf('='));
    if (isAccepted(name)) continue;
    const accepted = acceptEnv.length === 0 ? 'no variables' : acceptEnv.join(', ');
    throw new GatewayError('invalid-key', {
      problem: `the option environment sets ${excerpt(name)}, and this gateway accepts ${accepted}; leave it out.`,
    });
  }
}

export const keyOptions: Readonly<Record<string, Option>> = {
  name: { type: 'string', placeholder: 'N', describe: "what to call it (default: the key's comment)" },
  tag: { type: 'string', placeholder: 'T', describe: 'the key reaches only targets with this tag' },
  exp: {
    type: 'string',
    placeholder: '90d',
    describe: 'how long it is good: 90d, 12h, 1y, a date, or never',
  },
  ...restrictionOptions,
  'max-keys': { type: 'string', placeholder: 'N', describe: 'only if the account has fewer than N keys' },
  yes: { type: 'boolean', describe: 'add it even if it was removed before' },
};

/** What --name, --tag, --exp, --yes and the restrictions say. Throws usage, invalid-key. */
export function readKeyOptions({ options }: Arguments, { clock }: CommandContext) {
  const name = optionText(options['name']);
  const tag = optionText(options['tag']);
  const exp = optionText(options['exp']);
  const expiresAt = exp === undefined ? undefined : parseExpiry(exp, clock.now());
  const maxKeys = parseMaxKeys(optionText(options['max-keys']));
  return {
    ...(name === undefined ? {} : { name }),
    ...(tag === undefined ? {} : { tag: parseTag(tag) }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(maxKeys === undefined ? {} : { maxKeys }),
    restrictions: readRestrictions(options),
    ...(options['yes'] === true ? { readd: true } : {}),
  };
}

function parseMaxKeys(text: string | undefined): number | undefined {
  if (text === undefined || /^[1-9]\d{0,5}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new GatewayError('usage', { problem: '--max-keys needs a number of keys, like 25.' });
}
