import type { Command } from './command.ts';
import { oneWord } from './text-parts.ts';

export const command: Command = {
  path: ['ssh'],
  summary: 'run a session in a target',
  description: 'Everything after TARGET goes to the target as it stands, flags and quotes included.',
  examples: [
    'ssh -t GATEWAY ssh web',
    'ssh GATEWAY ssh web ls -l',
    "ssh GATEWAY ssh app@web 'cd /srv && git status'",
  ],
  positionals: [{ name: '[USER@]TARGET', required: true, completes: 'target' }],
  options: {},
  permission: 'anyone',
  verbatimAfter: 1,
  async run({ positionals, rest = '' }, { openTarget, request, io, session }) {
    const { target, user } = parseDestination(oneWord(positionals['[USER@]TARGET']) ?? '');
    const start = rest === '' ? ({ kind: 'shell' } as const) : ({ kind: 'exec', command: rest } as const);
    return { end: await openTarget(target, user)({ ...request, start }, io, session) };
  },
};

/** `USER@TARGET`, or as in login names `USER+TARGET`. */
function parseDestination(text: string): { target: string; user: string | undefined } {
  const at = Math.max(text.lastIndexOf('@'), text.indexOf('+'));
  return { target: text.slice(at + 1), user: at > 0 ? text.slice(0, at) : undefined };
}
