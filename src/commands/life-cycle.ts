import { handleOf } from '../targets/engine-names.ts';
import type { ContainerTarget } from '../targets/target.ts';
import type { TargetDirectory } from '../targets/target-directory.ts';
import type { Command } from './command.ts';
import { getManagedContainer } from './managed-target.ts';
import { containerData } from './target-data.ts';
import { oneWord } from './text-parts.ts';

/** `start`, `stop` or `restart`: one shape, told apart by what they do to the target. */
export function lifeCycleCommand(
  verb: 'start' | 'stop' | 'restart',
  summary: string,
  act: (targets: TargetDirectory, target: ContainerTarget) => Promise<void>,
): Command {
  return {
    path: [verb],
    summary,
    examples: [`ssh GATEWAY ${verb} web`],
    positionals: [{ name: 'TARGET', required: true, completes: 'container' }],
    options: {},
    permission: 'anyone',
    changes: true,
    async run({ positionals }, context) {
      const { targets, principal } = context;
      const target = await getManagedContainer(oneWord(positionals['TARGET']) ?? '', verb, context);
      await act(targets, target);
      const now = await targets.resolveContainer(principal, handleOf(target));
      return { data: containerData(now, context), text: `${now.name} is ${now.state}` };
    },
  };
}
