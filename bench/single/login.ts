/**
 * `ssh gateway whoami` beside `true` on OpenSSH's sshd: connect to output, over loopback. Bar: ≤ 0.3.
 * With `--kex`: what a post-quantum login costs, see login-kex.ts.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { interleave, report } from '../support/measure.ts';
import { startOpensshServer } from '../support/openssh-server.ts';

async function measureLogin(): Promise<void> {
  const run = promisify(execFile);
  const rounds = Number(process.env['ROUNDS'] ?? 21);
  const gateway = await startGatewayProcess();
  const sshd = await startOpensshServer();
  try {
    const measured = await interleave(
      [
        {
          name: 'ssh gateway whoami',
          run: async () => void (await run('ssh', [...gateway.sshArgs, 'x@127.0.0.1', 'whoami'])),
        },
        {
          name: 'ssh sshd true (OpenSSH)',
          run: async () => void (await run('ssh', [...sshd.sshArgs, 'root@127.0.0.1', 'true'])),
        },
      ],
      rounds,
    );
    report('Login and one command', measured, 0.3);
  } finally {
    gateway.stop();
    sshd.stop();
  }
}

if (process.argv.includes('--kex')) await import('./login-kex.ts');
else await measureLogin();
