import { ownEngineName } from '../targets/engine-names.ts';
import { nothingReachable } from '../targets/nothing-reachable.ts';
import type { ContainerTarget } from '../targets/target.ts';
import type { Command, CommandContext } from './command.ts';
import { describeHosts, hostTable, listHosts } from './host/host-data.ts';
import { textTable } from './interpreter/text-table.ts';
import { containerData, sshCommand, sshDestination } from './target-data.ts';

export const command: Command = {
  path: ['ls'],
  summary: 'the targets you may reach: state, image, and how to connect',
  description:
    'Engines that do not answer are named on stderr. Fails with status 1 when the Docker Engine cannot be reached and there is\n' +
    'nothing else to list.',
  examples: ['ssh GATEWAY ls', 'ssh GATEWAY ls -l', 'ssh GATEWAY ls --json'],
  positionals: [],
  options: { l: { type: 'boolean', describe: 'more columns: id, address, age' } },
  permission: 'anyone',
  async run({ options }, context) {
    const hosts = await describeHosts(await listHosts(context), context);
    const { targets, silent, notice } = await listTargets(context, hosts.length > 0);
    const data = {
      containers: targets.map((target) => containerData(target, context)),
      hosts,
      ...(silent.length === 0 ? {} : { silent_engines: silent }),
      vms: targets.map((target) => ({
        vm_name: target.name,
        status: target.state === 'running' ? 'running' : 'stopped',
        ssh_dest: sshDestination(target, context),
      })),
    };
    const text = () => {
      if (targets.length + hosts.length === 0) return nothingReachable(context.principal);
      const containerPart = targets.length === 0 ? [] : [table(targets, options['l'] === true, context)];
      return [...containerPart, ...(hosts.length === 0 ? [] : [hostTable(hosts)])].join('\n\n');
    };
    return { data, text, ...(notice === undefined ? {} : { notice }) };
  },
};

/** Without any engine there are no containers to list; that is a failure only where nothing else is. */
async function listTargets({ targets, principal }: CommandContext, isMore: boolean) {
  const { containers, silent } = await targets.look(principal);
  const own = silent.find(({ engine }) => engine === undefined);
  if (own && containers.length === 0 && !isMore) throw own.fault;
  return {
    targets: containers,
    silent: silent.map(({ engine = ownEngineName }) => engine),
    notice: silent.length === 0 ? undefined : silent.map(({ fault }) => fault.message).join('\n'),
  };
}

function table(targets: readonly ContainerTarget[], long: boolean, context: CommandContext): string {
  const head = ['NAME', 'STATE', 'IMAGE', ...(long ? ['ID', 'ADDRESS', 'STATUS'] : []), 'CONNECT'];
  const rows = targets.map((target) => [
    target.name,
    target.state,
    shortImage(target.image),
    ...(long ? [target.id.slice(0, 12), target.address ?? '', target.status] : []),
    sshCommand(target, context),
  ]);
  return textTable(head, rows);
}

/** An image without a name is listed by its id, 64 digits of it. */
const shortImage = (image: string) => image.replace(/^(sha256:)?([0-9a-f]{12})[0-9a-f]{52}$/, '$2');
