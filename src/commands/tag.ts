import { GatewayError } from '../errors.ts';
import { changeTags, parseTag, readTags } from '../targets/tags.ts';
import type { Command } from './command.ts';
import { getManagedTarget } from './managed-target.ts';
import { allWords, oneWord } from './text-parts.ts';

export const command: Command = {
  path: ['tag'],
  summary: 'show, add or take away tags on a target',
  description: 'A key made with --tag=T reaches only targets that carry T.',
  examples: ['ssh GATEWAY tag web', 'ssh GATEWAY tag web ci staging', 'ssh GATEWAY tag web --remove staging'],
  positionals: [
    { name: 'TARGET', required: true, completes: 'target' },
    { name: 'TAG', variadic: true },
  ],
  options: { remove: { type: 'boolean', describe: 'take these tags away' } },
  permission: 'anyone',
  outlasts: true,
  changes: true,
  async run({ positionals, options }, context) {
    const { store, principal } = context;
    const words = allWords(positionals['TAG']);
    const target = await getManagedTarget(oneWord(positionals['TARGET']) ?? '', 'tag', context);
    if (words.length > 0 && principal.restricted)
      throw new GatewayError('restricted-key', { what: 'change tags' });
    const given = words.map(parseTag);
    const removes = options['remove'] === true;
    if (removes && given.length === 0) throw context.usage('name the tags to take away');
    const change = (tags: readonly string[]) => {
      if (!removes) return [...tags, ...given];
      const missing = given.find((tag) => !tags.includes(tag));
      if (missing !== undefined)
        throw new GatewayError('tag-not-found', { target: target.name, tag: missing });
      return tags.filter((tag) => !given.includes(tag));
    };
    const tags =
      given.length === 0 ? await readTags(store, target.key) : await changeTags(store, target.key, change);
    const text = tags.length === 0 ? `${target.name} carries no tags.` : tags.join('\n');
    return { data: { target: target.name, tags }, text };
  },
};
