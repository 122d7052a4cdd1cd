/** What may go wrong between a supervisor, its workers and their keeper, where somebody provokes it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { servingWorkers, until } from '../support/processes.ts';
import { main, type Served, serve } from '../support/served.ts';
import { runProgram } from '../support/ssh-client.ts';

let folder: string;
let file: string;
let served: Served;
const configure = (values: Record<string, unknown>) => writeFile(file, JSON.stringify(values));
const postern = (...args: string[]) => runProgram(process.execPath, [main, ...args, `--data=${folder}/data`]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-attacked-'));
  file = join(folder, 'postern.json');
  await configure({ workers: 1 });
  served = await serve(folder, [`--config=${file}`, '--log-level=info']);
});
afterAll(async () => {
  served.child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

interface Caller {
  readonly socket: Socket;
  readonly heard: () => string;
  readonly isClosed: () => boolean;
}

function call(): Caller {
  let heard = '';
  let isClosed = false;
  const socket = connect(served.port, '127.0.0.1');
  socket.on('data', (chunk) => {
    heard += chunk;
  });
  socket.on('error', () => {});
  socket.once('close', () => {
    isClosed = true;
  });
  return { socket, heard: () => heard, isClosed: () => isClosed };
}

describe('connections that wait for a worker that hangs', () => {
  it('are not left open when it is killed: another one serves them', async () => {
    const [worker = 0] = servingWorkers(served);
    process.kill(worker, 'SIGSTOP');
    const callers = Array.from({ length: 4 }, call);
    await until(() => callers.every(({ socket }) => !socket.connecting));
    await postern('session', 'list');
    process.kill(worker, 'SIGKILL');
    const isSettled = ({ heard, isClosed }: Caller) => heard().startsWith('SSH-2.0-') || isClosed();
    await until(() => callers.every(isSettled));
    // One was on its way.
    expect(callers.filter(({ isClosed }) => isClosed()).length).toBeLessThanOrEqual(1);
    for (const { socket } of callers) socket.destroy();
  });
});
