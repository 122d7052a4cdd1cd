/** A container with whatever programs this machine has: python3, git, rsync, sshd and their libraries. */
import { runContainer, type TestContainer } from './containers.ts';
import { images } from './engine.ts';

/** The Debian image with this machine's /usr, read-only, in place of its own: both are of one release. */
export const runToolContainer = (options: readonly string[] = []): Promise<TestContainer> =>
  runContainer(images.debian, ['-v', '/usr:/usr:ro', ...options]);
