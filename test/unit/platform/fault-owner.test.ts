import { expect, it } from 'vitest';
import { runProgram } from '../../support/ssh-client.ts';

const program = new URL('../../support/fault-owner-process.ts', import.meta.url).pathname;

it('what throws, wherever, ends the connection that began it; what nobody began is nobody’s', async () => {
  const { text, stderr } = await runProgram(process.execPath, [program]);
  expect(stderr).toBe('');
  expect(text.trim().split('\n')).toEqual([
    'data: socket 2',
    'timer: socket 3',
    'emitter: socket 4',
    'request: a connection',
    'the request was cut off',
    'upgraded: a connection',
    'accept: accepting',
    'own: nobody',
    'pong',
  ]);
});
