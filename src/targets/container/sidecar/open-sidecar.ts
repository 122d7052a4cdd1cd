/** One sidecar: a container of ours in the network of another, spoken to by HTTP/2 over its stdin and stdout. */
import type { Logger } from 'pino';
import type { ContainerDetails, EngineApi } from '../engine-api.ts';
import { shortReason } from '../engine-errors.ts';
import { hasOwnProcesses } from '../own-processes.ts';
import { openAttachedStdio } from './attached-stdio.ts';
import { byPassage } from './by-passage.ts';
import { recipeBeside } from './container-beside.ts';
import type { SidecarImage } from './image.ts';
import { greet, type InsideConnection, speak } from './inside-connection.ts';
import { createWithPassage, type Passage } from './open-passage.ts';

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

const recipe = (image: SidecarImage, { Id, HostConfig }: ContainerDetails, passage: Passage | undefined) =>
  recipeBeside(image, {
    kind: 'sidecar',
    of: Id,
    sharesProcesses: hasOwnProcesses(HostConfig),
    user: '65534:65534',
    memoryBytes,
    heapMib: 96,
    passage,
  });
