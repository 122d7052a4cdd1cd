/** A target as JSON and tables show it, and how it is reached. */
import type { ContainerTarget, Target } from '../targets/target.ts';
import type { CommandServices } from './command.ts';

type Surroundings = Pick<CommandServices, 'targets' | 'endpoint'>;

/** `ssh -p 2222 rexec-web@gateway`. */
export function sshCommand(target: Target, { targets, endpoint }: Surroundings): string {
  const { host, port } = endpoint();
  return `ssh ${port === 22 ? '' : `-p ${port} `}${targets.sshName(target)}@${host}`;
}

/** What `ssh` takes as its destination: with another port than 22 it is an ssh:// address. */
export function sshDestination(target: Target, { targets, endpoint }: Surroundings): string {
  const { host, port } = endpoint();
  const destination = `${targets.sshName(target)}@${host}`;
  return port === 22 ? destination : `ssh://${destination}:${port}`;
}

export function containerData(target: ContainerTarget, surroundings: Surroundings) {
  return {
    id: target.id,
    name: target.name,
    ...(target.engine === undefined ? {} : { engine: target.engine }),
    image: target.image,
    state: target.state,
    status: target.status,
    address: target.address ?? null,
    created_at: target.createdAt,
    ssh_dest: sshDestination(target, surroundings),
    ssh_command: sshCommand(target, surroundings),
  };
}
