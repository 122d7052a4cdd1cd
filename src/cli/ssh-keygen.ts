/** OpenSSH's own signer: it knows passphrases, agents and security keys, and we never see a private key. */
import { spawn } from 'node:child_process';
import type { Terminal } from './run-cli.ts';

export interface MessageToSign {
  /** A private key, or a public one whose other half is in the agent. */
  readonly keyFile: string;
  readonly namespace: string;
  readonly message: Buffer;
}

/** The SSHSIG blob that `ssh-keygen -Y sign` makes. Throws a sentence. */
export async function signWithSshKeygen(
  { keyFile, namespace, message }: MessageToSign,
  { env, stderr }: Pick<Terminal, 'env' | 'stderr'>,
): Promise<Buffer> {
  const child = spawn('ssh-keygen', ['-q', '-Y', 'sign', '-n', namespace, '-f', keyFile], {
    env,
    // At a terminal it asks for the touch of a security key there.
    stdio: ['pipe', 'pipe', stderr.isTTY ? 'inherit' : 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => (printed.stdout += chunk));
  child.stderr?.on('data', (chunk) => (printed.stderr += chunk));
  // It may end before it has read.
  child.stdin?.on('error', () => {});
  child.stdin?.end(message);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', (cause) => {
      reject(
        new Error(`ssh-keygen cannot be run (${cause.message}); install OpenSSH 8.1 or newer.`, { cause }),
      );
    });
  });
  const armored = /^-----BEGIN SSH SIGNATURE-----\s([\w+/=\s]+)-----END SSH SIGNATURE-----\s*$/;
  const base64 = armored.exec(printed.stdout)?.[1];
  if (status === 0 && base64 !== undefined) return Buffer.from(base64, 'base64');
  const said = printed.stderr.trim().split('\n').at(-1) ?? '';
  throw new Error(`ssh-keygen did not sign${said === '' ? '' : `: ${said.trim().replace(/\.$/, '')}`}.`);
}
