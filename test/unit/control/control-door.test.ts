import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ControlDoor, openControlDoor } from '../../../src/control/control-door.ts';
import { type ControlAnswer, controlSocketPath } from '../../../src/control/control-protocol.ts';

let dataDir: string;
let door: ControlDoor;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'postern-control-'));
});
afterEach(async () => {
  await door.close();
  await rm(dataDir, { recursive: true, force: true });
});

const open = async (answer: () => Promise<ControlAnswer>) => {
  door = await openControlDoor({
    ...{ dataDir, answer, maxBodyBytes: 0, takesBody: () => false, patienceMs: 1_000 },
    log: pino({ level: 'silent' }),
  });
};

/** All that is answered to these bytes, when the door has closed the connection. */
async function ask(bytes: string, isWhole = true): Promise<string> {
  const socket = connect({ path: controlSocketPath(dataDir), allowHalfOpen: true });
  socket.write(bytes);
  if (isWhole) socket.end();
  let text = '';
  for await (const chunk of socket) text += chunk;
  socket.destroy();
  return text;
}

const done: ControlAnswer = { stdout: 'done\n', stderr: '', exitStatus: 0 };

it('what takes its time, as a restart may, is answered nevertheless', async () => {
  await open(() => pause(2_000, done));
  expect(JSON.parse(await ask('{"line":"restart","stdin":""}\n'))).toEqual(done);
});

it('slow-request: one that does not come whole is not waited for', async () => {
  await open(async () => done);
  expect(await ask('{"line":"res', false)).toBe('');
});
