/**
 * One command in a running container, start to exit status: `docker exec web true` beside the container engine's
 * own handler (no SSH in between) and beside `ssh rexec-web true` by login name. Bar: ssh ≤ 1.4 of docker exec.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createTestEngine } from '../../test/support/container-engine.ts';
import { authorizationFor, runSession } from '../../test/support/session-io.ts';
import { startBenchContainer } from '../support/container.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { interleave, report } from '../support/measure.ts';

const run = promisify(execFile);
const rounds = Number(process.env['ROUNDS'] ?? 31);
const container = await startBenchContainer();
const gateway = await startGatewayProcess();
const engine = createTestEngine();
const listed = (await engine.list()).find(({ name }) => name === container.name);
const session = engine.openSession(await authorizationFor(engine, listed?.id ?? ''));
try {
  const measured = await interleave(
    [
      {
        name: 'ssh rexec-web true',
        run: async () =>
          void (await run('ssh', [...gateway.sshArgs, `rexec-${container.name}@127.0.0.1`, 'true'])),
      },
      {
        name: 'docker exec web true',
        run: async () => void (await run('docker', ['exec', container.name, 'true'])),
      },
    ],
    rounds,
  );
  report('One command in a container', measured, 1.4);
  const direct = await interleave(
    [
      { name: 'the handler alone', run: async () => void (await runSession(session, 'true')) },
      {
        name: 'docker exec web true',
        run: async () => void (await run('docker', ['exec', container.name, 'true'])),
      },
    ],
    rounds,
  );
  report('The same without SSH', direct, 1);
} finally {
  gateway.stop();
  await engine.close();
  container.remove();
}
