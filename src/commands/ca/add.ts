import { everyAccount } from '../../certificate-authorities/standing.ts';
import type { PublicKey } from '../../keys/key-types.ts';
import type { Command, CommandContext } from '../command.ts';
import { readKeys } from '../ssh-key/read-keys.ts';
import { allWords, oneWord, optionText } from '../text-parts.ts';
import { caData } from './ca-data.ts';

export const command: Command = {
  path: ['ca', 'add'],
  summary: 'trust a certificate authority: user certificates it signs are a way in',
  description:
    'A certificate logs in when exactly one of its principals names an account, and the authority covers that account:\n' +
    'those named in --principals-from (they need not exist yet), or all with "*"; admins only with --admins.',
  examples: [
    'cat ca.pub | ssh GATEWAY ca add office --principals-from=alice,bob',
    'ssh GATEWAY ca add office "$(cat ca.pub)" --principals-from=\'*\' --admins',
    'ssh-keygen -s ca -I "alice laptop" -n alice -V +8h -z 1 id_ed25519.pub  # makes a certificate',
  ],
  positionals: [
    { name: 'NAME', required: true },
    { name: 'PUBLIC-KEY', variadic: true },
  ],
  options: {
    'principals-from': { type: 'string', placeholder: 'A,B', describe: 'the accounts it covers, or "*"' },
    admins: { type: 'boolean', describe: 'it also covers those of them that are admins' },
  },
  permission: 'admin',
  outlasts: true,
  secondFactor: 'proven',
  changes: true,
  async run({ positionals, options }, context) {
    const { accounts, certificateAuthorities, principal } = context;
    const from = optionText(options['principals-from']);
    if (from === undefined) throw context.usage('--principals-from says which accounts it covers');
    const principals = from.split(',').map((name) => name.trim());
    const row = await certificateAuthorities.add({
      name: oneWord(positionals['NAME']) ?? '',
      key: await readKey(allWords(positionals['PUBLIC-KEY']), context),
      principals,
      admins: options['admins'] === true,
      createdBy: principal.account.id,
    });
    const known = new Set((await accounts.list()).map(({ name }) => name));
    const missing = row.principals.filter((name) => name !== everyAccount && !known.has(name));
    const note = missing.length === 0 ? '' : ` There is no account yet called ${missing.join(', ')}.`;
    return { data: caData(row), text: `Trusting "${row.name}" ${row.fingerprint}.${note}` };
  },
};

async function readKey(words: readonly string[], context: CommandContext): Promise<PublicKey> {
  const [added, ...more] = await readKeys(words, context);
  if (added === undefined || more.length > 0) throw context.usage('an authority has one key');
  const { restrictions, expiresAt } = added;
  if (expiresAt !== undefined || Object.keys(restrictions).length > 0) {
    throw context.usage("options in front of an authority's key are not kept; leave them out");
  }
  return added.key;
}
