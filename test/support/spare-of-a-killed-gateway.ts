/** Lets a spare wait in the container named by its argument, says so, and waits to be killed. */
import { createTestEngine } from './container-engine.ts';
import { authorizationFor, runSession, terminal } from './session-io.ts';

const engine = createTestEngine();
const session = engine.openSession(await authorizationFor(engine, process.argv[2] as string));
await runSession(session, 'true', { pty: terminal() });
console.log('open');
setInterval(() => {}, 1_000);
