/** An engine that is killed in the middle of an answer: the library then says nothing at all, for ever. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngineApi, type EngineApi } from '../../../../src/targets/container/engine-api.ts';

let folder: string;
let engine: Server;
let api: EngineApi;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-cut-'));
  const path = join(folder, 'docker.sock');
  engine = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"Id":', () => response.socket?.destroy());
  }).listen(path);
  api = createEngineApi({ kind: 'unix', path }, 300);
});
afterAll(async () => {
  api.close();
  engine.close();
  await rm(folder, { recursive: true, force: true });
});

describe('an answer that is cut off', () => {
  const exec = { argv: ['true'], user: undefined, tty: false, stdin: false, workingDir: '/' };
  it.each<[string, () => Promise<unknown>]>([
    ['inspect', () => api.inspect('x')],
    ['list', () => api.list()],
    ['createExec', () => api.createExec('x', exec)],
    ['findExitStatus', () => api.findExitStatus('x')],
    ['hasImage', () => api.hasImage('x')],
    ['remove', () => api.remove('x')],
  ])('%s fails when the time for it is over', async (_name, ask) => {
    await expect(ask()).rejects.toMatchObject({ code: 'engine-unavailable' });
  });

  it('a stop of the gateway does not wait for it', async () => {
    const started = api.start('x');
    setTimeout(() => api.close(), 50);
    await expect(started).rejects.toMatchObject({ code: 'engine-unavailable' });
  });
});
