import type { Command } from '../command.ts';
import { allWords } from '../text-parts.ts';
import { keyData } from './key-data.ts';
import { ownAccountId } from './own-keys.ts';

export const command: Command = {
  path: ['ssh-key', 'remove'],
  summary: 'remove one of your keys; its open connections are closed at once',
  examples: ['ssh GATEWAY ssh-key remove laptop', 'ssh GATEWAY ssh-key remove SHA256:…'],
  positionals: [{ name: 'NAME|FINGERPRINT|PUBLIC-KEY', required: true, variadic: true, completes: 'key' }],
  options: { yes: { type: 'boolean', describe: 'also the last key, or the one you are connected with' } },
  permission: 'unrestricted',
  changes: true,
  async run({ positionals, options }, { keys, principal }) {
    const accountId = ownAccountId(principal);
    // A public key is several words, and so is a name typed without quotes.
    const wanted = allWords(positionals['NAME|FINGERPRINT|PUBLIC-KEY']).join(' ');
    const row = await keys.remove(accountId, wanted, {
      currentKeyId: principal.key.id,
      sure: options['yes'] === true,
    });
    return { data: { removed: keyData(row, principal) }, text: `Removed "${row.name}" ${row.fingerprint}` };
  },
};
