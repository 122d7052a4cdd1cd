/** An sshd inside a container, and the keys that are synced for it. */
import { row } from './row.ts';

export const containerSshdErrors = {
  'sync-refused': row<{ name: string; problem: string }>(
    1,
    422,
    ({ name, problem }) => `no keys were synced into ${name}: ${problem}.`,
  ),
  'install-running': row<{ name: string }>(
    1,
    409,
    ({ name }) => `an SSH server is being installed in ${name} already; wait for its end.`,
  ),
  'no-package-manager': row<{ name: string }>(
    1,
    500,
    ({ name }) =>
      `unable to determine the install command for the image of ${name}: it has none of apt-get, apk, dnf, yum, pacman and zypper; put an SSH server into the image.`,
  ),
  'install-failed': row<{ name: string; step: string; exitStatus: number; lastLines: readonly string[] }>(
    1,
    500,
    ({ name, step, exitStatus, lastLines }) =>
      `the installation in ${name} failed: ${step} ended with status ${exitStatus}${lastLines.length === 0 ? '.' : `: ${lastLines.join('; ')}`}`,
  ),
} as const;
