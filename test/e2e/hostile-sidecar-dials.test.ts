/** A sidecar serves everybody who forwards into a container: nobody's connections may end the others'. */
import { expect, it } from 'vitest';
import { createTestEngine } from '../support/container-engine.ts';
import { startSocketContainer } from '../support/forward.ts';
import { authorizationFor } from '../support/session-io.ts';

it('cut-off-forwards: 1,500 connections that are cut off in a moment end no other', async () => {
  const container = await startSocketContainer();
  const engine = createTestEngine();
  const authorization = await authorizationFor(engine, container.id);
  const listener = await engine.listen(authorization, { host: '127.0.0.1', port: 0 }, () => {});
  let closed = false;
  listener.onClose(() => {
    closed = true;
  });
  if (!('port' in listener.place)) throw new Error('no port');
  const { port } = listener.place;
  for (let done = 0; done < 1_500; done += 50) {
    const dial = () => engine.dial(authorization, { host: '127.0.0.1', port });
    const streams = await Promise.all(Array.from({ length: 50 }, () => dial().catch(() => undefined)));
    for (const stream of streams) stream?.on('error', () => {}).destroy();
  }
  expect(closed).toBe(false);
  await engine.close();
  await container.remove();
});
