/**
 * A holder: a container of the sidecar's image beside another one, among its processes, so that the image's files are
 * at /proc/PID/root there for the user it runs as, and for as long as it runs.
 */
import type { Duplex } from 'node:stream';
import type { EngineApi } from '../engine-api.ts';
import { shortReason } from '../engine-errors.ts';
import { openAttachedStdio } from '../sidecar/attached-stdio.ts';
import { recipeBeside } from '../sidecar/container-beside.ts';
import type { SidecarImage } from '../sidecar/image.ts';
import { createWithPassage, type Passage } from '../sidecar/open-passage.ts';

export interface Holder {
  /** Where its image's files are, as seen in the container beside it. */
  readonly root: string;
  /** Beside those files, where the engine is on this machine. It outlives the holder: whoever opened it closes it. */
  readonly passage: Passage | undefined;
  /** Resolves when it is gone. */
  remove(): Promise<void>;
}

const memoryBytes = 128 * 1024 * 1024;
const startWithinMs = 10_000;
const maxTextBytes = 1_024;

/** What a failure leaves behind is removed. */
export async function openHolder(
  engine: EngineApi,
  image: SidecarImage,
  containerId: string,
  ids: { readonly uid: number; readonly gid: number },
): Promise<Holder> {
  const { id, passage } = await createWithPassage((mounted) =>
    engine.createContainer(recipe(image, containerId, ids, mounted)),
  );
  try {
    const stdio = openAttachedStdio(await engine.attach(id), () => {});
    stdio.on('error', () => {});
    const told = readPid(stdio);
    told.catch(() => {});
    await engine.start(id);
    const pid = await told;
    return {
      root: `/proc/${pid}/root`,
      passage,
      async remove() {
        await engine.remove(id);
        stdio.destroy();
      },
    };
  } catch (error) {
    passage?.close();
    await engine.remove(id).catch(() => {});
    throw error;
  }
}

/**
 * The kernel lets a process into /proc/PID/root of another that has the same user and group, and no capability that
 * it lacks: this one has none.
 */
const recipe = (
  image: SidecarImage,
  containerId: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
  passage: Passage | undefined,
) =>
  recipeBeside(image, {
    kind: 'holder',
    of: containerId,
    sharesProcesses: true,
    user: `${uid}:${gid}`,
    memoryBytes,
    heapMib: 16,
    passage,
  });

/** As its container counts. Whoever is root there may have a hand in what it says. */
function readPid(stdio: Duplex): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (text: string) => reject(new Error(`a holder did not start: ${shortReason(text)}`));
    const deadline = setTimeout(() => fail('no answer in time'), startWithinMs);
    let text = '';
    stdio.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const [, pid] = /^([1-9]\d{0,6})\n/.exec(text) ?? [];
      if (pid) resolve(Number(pid));
      else if (text.includes('\n') || text.length > maxTextBytes) fail('it told no pid');
    });
    stdio.on('close', () => {
      clearTimeout(deadline);
      fail('it ended');
    });
    stdio.on('data', () => clearTimeout(deadline));
  });
}
