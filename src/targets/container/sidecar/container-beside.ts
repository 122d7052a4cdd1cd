/** What every container of ours that stands beside another one is made as: without rights, and gone with the gateway. */
import { randomId } from '../../../platform/ids.ts';
import { internalLabel } from '../../visibility.ts';
import type { SidecarImage } from './image.ts';
import { mountsOf, type Passage } from './open-passage.ts';

export interface ContainerBeside {
  readonly kind: 'sidecar' | 'holder';
  /** Full id of the other one, whose network it shares. */
  readonly of: string;
  /** False: that one has no processes of its own. */
  readonly sharesProcesses: boolean;
  /** `UID:GID`. */
  readonly user: string;
  readonly memoryBytes: number;
  /** Of Node's heap. */
  readonly heapMib: number;
  readonly passage: Passage | undefined;
}

/**
 * No capability, and nothing to write to: whoever is root in the other container may take hold of it, and gains nothing
 * by it. Its stdin is the gateway's, so it ends with the gateway, and the engine then removes it.
 */
export function recipeBeside(image: SidecarImage, beside: ContainerBeside) {
  const { kind, of, sharesProcesses, user, memoryBytes, heapMib, passage } = beside;
  return {
    name: `postern-${kind}-${of.slice(0, 12)}-${randomId(6)}`,
    Image: image.name,
    Entrypoint: [image.node, `--max-old-space-size=${heapMib}`, image.program(kind)],
    Env: [...image.env],
    User: user,
    Labels: { [internalLabel]: kind, [`postern.${kind}.of`]: of },
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      NetworkMode: `container:${of}`,
      // The kernel ends it with the other one.
      ...(sharesProcesses ? { PidMode: `container:${of}` } : {}),
      Mounts: mountsOf(passage),
      AutoRemove: true,
      ReadonlyRootfs: true,
      Memory: memoryBytes,
      MemorySwap: memoryBytes,
      PidsLimit: 64,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}
