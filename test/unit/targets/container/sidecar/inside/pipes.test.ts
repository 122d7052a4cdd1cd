import { expect, it } from 'vitest';
import {
  closePipes,
  createPipeSource,
} from '../../../../../../src/targets/container/sidecar/inside/pipes.ts';

it('a container that is paused while its shell makes pipes has them afterwards: it has not waited', async () => {
  const pipes = createPipeSource(['/bin/sh', '-c', 'sleep 0.2; exec /bin/sh']);
  const taken = pipes.take();
  // Nothing of this process runs for longer than the shell may take.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000);
  closePipes(await taken);
});

it('a shell that makes none is not waited for', async () => {
  const pipes = createPipeSource(['/bin/sh', '-c', 'exec sleep 60']);
  await expect(pipes.take()).rejects.toMatchObject({ code: 'ENOPIPE' });
  await expect(pipes.take()).rejects.toMatchObject({ code: 'ENOPIPE' });
});
