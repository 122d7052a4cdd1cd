/** One container, and two ways into it: the gateway, and OpenSSH's sshd inside. Whatever runs there is the same. */
import { cgroupCpuMs } from '../support/cgroup-cpu.ts';
import { cpuMsOf } from '../support/process-tree.ts';
import { type SshdContainer, startSshdContainer } from '../support/sshd-container.ts';
import { openssh } from './openssh.ts';
import type { RunningPeer } from './peer.ts';
import { type RunningGateway, startPostern } from './postern.ts';

export interface BothWays {
  readonly container: SshdContainer;
  readonly gateway: RunningGateway;
  /** The gateway's session in the container, as root. */
  readonly ours: RunningPeer;
  /** sshd's in the same container, as root. */
  readonly theirs: RunningPeer;
  readonly stop: () => Promise<void>;
}

/** Starts one when it is first asked for, and gives that to everybody: `stop` of what they get ends nothing. */
export function shareBothWays(): {
  readonly start: typeof startBothWays;
  readonly stop: () => Promise<void>;
} {
  let started: Promise<BothWays> | undefined;
  return {
    async start() {
      started ??= startBothWays();
      return { ...(await started), stop: async () => {} };
    },
    stop: async () => (await started)?.stop(),
  };
}

export async function startBothWays(): Promise<BothWays> {
  const container = await startSshdContainer();
  try {
    const gateway = await startPostern(container.key);
    const pid = Number(container.inspect('{{.State.Pid}}'));
    const place = { host: container.address, port: 22, user: 'root', key: container.key };
    return {
      container,
      gateway,
      ours: {
        ...gateway,
        user: `root+${container.name}`,
        cpuMs: () => cpuMsOf(gateway.pid) + cgroupCpuMs(pid),
      },
      theirs: { name: openssh.name, pid, cpuMs: () => cgroupCpuMs(pid), ...place, stop: async () => {} },
      stop: async () => {
        await gateway.stop();
        container.remove();
      },
    };
  } catch (error) {
    container.remove();
    throw error;
  }
}
