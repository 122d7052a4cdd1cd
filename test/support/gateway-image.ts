/** The image of the Dockerfile, with the local images in the place of the registry's. */
import { join } from 'node:path';
import { images, runLabel, testLabel } from './engine.ts';
import { cacheFolder } from './setup/cache-folder.ts';
import { withLock } from './setup/lock.ts';
import { ensureNodeImage, nodeImage } from './setup/node-image.ts';
import { runProgram } from './ssh-client.ts';

export const gatewayImage = 'postern-test/gateway:latest';

const root = join(import.meta.dirname, '../..');

/** Resolves to stdout, trimmed. Throws with the end of what it printed. */
export async function dockerLong(...args: readonly string[]): Promise<string> {
  const { text, stderr, status } = await runProgram('docker', args, {
    env: { DOCKER_BUILDKIT: '0' },
    timeoutMs: 600_000,
  });
  if (status !== 0)
    throw new Error(`docker ${args[0]} ended with ${status}: ${text.slice(-2000)} ${stderr.slice(-2000)}`);
  return text.trim();
}

export const testLabels = () => [
  ...['--label', `${testLabel}=1`],
  ...['--label', `${runLabel}=${process.env['TEST_RUN_ID']}`],
];

/** As README.md says it. Who comes second finds the layers of the first. */
export async function buildGatewayImage(): Promise<void> {
  await ensureNodeImage();
  await withLock(join(cacheFolder(), 'gateway-image.lock'), () =>
    dockerLong(
      ...['build', '--quiet', '--force-rm', '--network', 'host', ...testLabels(), '--tag', gatewayImage],
      ...['--build-arg', `BUILD_IMAGE=${nodeImage}`, '--build-arg', `BASE_IMAGE=${images.debian}`, root],
    ),
  );
}

/** The login name that is an invite, in what a gateway called gateway.example has printed. */
export const findInvite = (printed: string): string | undefined =>
  /join\+[^@\s]+(?=@gateway\.example)/.exec(printed)?.[0];
