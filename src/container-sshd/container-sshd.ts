/** An sshd inside a container: what there is of it, putting one there, and who it lets in. */
import type { ContainerTarget } from '../targets/target.ts';
import type { InstallOptions } from './install-sshd.ts';
import type { SshdStatus } from './sshd-status.ts';
import type { SyncOutcome } from './sync-keys.ts';

export interface ContainerSshd {
  /** Of a container that does not run: neither installed nor running. Throws engine-unavailable and its like. */
  findStatus(target: ContainerTarget): Promise<SshdStatus>;
  /**
   * Installs and starts it, without passwords, and syncs. One at a time in a container.
   * Throws install-running, no-package-manager, install-failed, timed-out, and what `sync` throws.
   */
  install(target: ContainerTarget, options: InstallOptions): Promise<SyncOutcome>;
  /** Throws sync-refused, container-not-running, container-gone, engine-unavailable. */
  sync(target: ContainerTarget): Promise<SyncOutcome>;
}
