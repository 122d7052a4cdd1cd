/** What comes over the operator's socket, DATA/control.sock; the lines themselves are the commands' surface. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { openControlDoor } from '../../src/control/control-door.ts';
import { mutant } from '../mutate.ts';
import { expectThat, type Surface } from '../surface.ts';

const requests = [
  { line: 'account list', stdin: '' },
  { line: 'ssh-key add --account=alice', stdin: 'ssh-ed25519 AAAA\n' },
  { line: '', stdin: '', more: 1 },
  { line: 'restore x', stdin: '' },
].map((request) => Buffer.from(`${JSON.stringify(request)}\n`));

export const controlRequests: Surface = {
  pace: 'in this process',
  async open() {
    const dataDir = await mkdtemp(join(tmpdir(), 'postern-control-'));
    const faults: string[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => void faults.push(line) });
    const answer = async ({ line, stdin }: { line: string; stdin: string }) => {
      expectThat(typeof line === 'string' && typeof stdin === 'string', 'a request that is none');
      return { stdout: line.slice(0, 99), stderr: '', exitStatus: 0 };
    };
    const door = await openControlDoor({
      dataDir,
      log,
      answer,
      maxBodyBytes: 1_000,
      takesBody: (line) => line.startsWith('restore'),
    });
    return {
      generate: (random) => mutant(requests, random),
      async run(input) {
        const socket = connect({ path: join(dataDir, 'control.sock'), allowHalfOpen: true });
        socket.on('error', () => {});
        socket.end(input);
        const chunks: Buffer[] = [];
        socket.on('data', (chunk) => chunks.push(chunk));
        await new Promise((resolve) => socket.once('close', resolve).once('end', resolve));
        socket.destroy();
        expectThat(typeof JSON.parse(Buffer.concat(chunks).toString()).exitStatus === 'number', 'no answer');
        expectThat(faults.length === 0, `a fault of ours: ${faults}`);
      },
      async close() {
        await door.close();
        await rm(dataDir, { recursive: true });
      },
    };
  },
};
