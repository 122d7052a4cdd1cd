/** One sidecar: a container of ours in the network of another, spoken to by HTTP/2 over its stdin and stdout. */
import type { Logger } from 'pino';
import { randomId } from '../../../platform/ids.ts';
import { internalLabel } from '../../visibility.ts';
import type { ContainerDetails, EngineApi } from '../engine-api.ts';
import { shortReason } from '../engine-errors.ts';
import { openAttachedStdio } from './attached-stdio.ts';
import { byPassage } from './by-passage.ts';
import type { SidecarImage } from './image.ts';
import { greet, type InsideConnection, speak } from './inside-connection.ts';
import { createWithPassage, mountsOf, type Passage } from './open-passage.ts';

/** Room for every stream's window, full, besides Node itself. */
const memoryBytes = 384 * 1024 * 1024;

/** Started and answering. What a failure leaves behind is removed. */
export async function openSidecar(
  engine: EngineApi,
  image: SidecarImage,
  target: ContainerDetails,
  log: Logger,
): Promise<InsideConnection> {
  const { id, passage } = await createWithPassage((mounted) =>
    engine.createContainer(recipe(image, target, mounted)),
  );
  try {
    const attached = await engine.attach(id);
    const said: string[] = [];
    const stdio = openAttachedStdio(attached, (text) => {
      if (said.length < 20) said.push(text);
      log.debug({ container: target.Id, sidecar: id, text: shortReason(text) }, 'a sidecar wrote to stderr');
    });
    stdio.on('error', () => {});
    await engine.start(id);
    const session = await greet(stdio).catch((error) => {
      throw new Error(`a sidecar did not start: ${shortReason(said.join(' '))}`, { cause: error });
    });
    const connection = speak(session, stdio, () => {
      passage?.close();
      engine.remove(id).catch(() => {});
    });
    return passage ? byPassage(connection, passage) : connection;
  } catch (error) {
    passage?.close();
    await engine.remove(id).catch(() => {});
    throw error;
  }
}

/**
 * No capability, and nothing to write to: whoever is root in the container may take hold of the sidecar, and gains
 * nothing by it. It ends when its stdin does, so it cannot outlive the gateway, and the engine then removes it.
 */
function recipe(
  { name, node, program, env }: SidecarImage,
  { Id, HostConfig }: ContainerDetails,
  passage: Passage | undefined,
) {
  return {
    name: `postern-sidecar-${Id.slice(0, 12)}-${randomId(6)}`,
    Image: name,
    Entrypoint: [node, '--max-old-space-size=96', program('sidecar')],
    Env: [...env],
    User: '65534:65534',
    Labels: { [internalLabel]: 'sidecar', 'postern.sidecar.of': Id },
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      NetworkMode: `container:${Id}`,
      // The kernel ends it with the container. Where that has no processes of its own, it gets its own.
      ...(HostConfig.PidMode ? {} : { PidMode: `container:${Id}` }),
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
