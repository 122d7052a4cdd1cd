/** An engine whose answers are a stranger's: what it can make of the gateway's memory and time. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { grantAuthorization } from '../../../../src/auth/authorization.ts';
import { createEngineApi } from '../../../../src/targets/container/engine-api.ts';
import { createTestEngine } from '../../../support/container-engine.ts';
import { container } from '../../../support/people.ts';
import { identity } from '../../../support/session-io.ts';

let server: Server;
let sent = 0;
afterEach(() => {
  sent = 0;
  server.closeAllConnections();
  server.close();
});

/** Answers everything with that many bytes of JSON, as long as somebody reads them. */
async function engineOf(bytes: number, status = 200) {
  const piece = Buffer.alloc(64 * 1024, ' ');
  server = createServer((_request, response) => {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.write('[');
    const more = () => {
      while (sent < bytes) {
        sent += piece.length;
        if (!response.write(piece)) return response.once('drain', more);
      }
      return response.end(']');
    };
    more();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const dial = async () => connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  return createEngineApi({ kind: 'dialled', dial }, 30_000);
}

const endless = 1024 * 1024 * 1024;

describe('what a registered engine answers', () => {
  it('is read where it is no longer than 16 MiB', async () => {
    expect(await (await engineOf(15 * 1024 * 1024)).list()).toEqual([]);
  });

  it.each(['list', 'architecture'] as const)('endless-answer: %s is given up after 16 MiB', async (call) => {
    const engine = await engineOf(endless);
    await expect(engine[call]()).rejects.toMatchObject({ code: 'engine-unavailable' });
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it('so are the words of an endless refusal, also of what else is read as it comes', async () => {
    const engine = await engineOf(endless, 500);
    await expect(engine.inspect('a')).rejects.toMatchObject({ code: 'engine-unavailable' });
    await expect(engine.findArchive('a', '/etc/passwd')).rejects.toMatchObject({
      code: 'engine-unavailable',
    });
    expect(sent).toBeLessThan(endless / 4);
  });

  it('an archive is no answer to gather: it is read as it comes, however long', async () => {
    const engine = await engineOf(32 * 1024 * 1024);
    const archive = await engine.findArchive('a', '/big');
    expect(await text(archive as NodeJS.ReadableStream as never)).toHaveLength(32 * 1024 * 1024 + 2);
  });

  it('one that says nothing is given up when its time is over', async () => {
    server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const dial = async () => connect({ port, host: '127.0.0.1' });
    await expect(createEngineApi({ kind: 'dialled', dial }, 300).list()).rejects.toThrow('no answer in time');
  });

  it('a connection that cannot be made is told as it failed, and not tried in another way', async () => {
    server = createServer(() => {}).listen(0, '127.0.0.1');
    const dial = () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }));
    await expect(createEngineApi({ kind: 'dialled', dial }).list()).rejects.toThrow('connection refused');
  });
});

it('internal-address: what a registered engine calls the address of a container is never dialled from here', async () => {
  let connections = 0;
  const internal = createServer((_request, response) => response.end());
  internal.on('connection', () => connections++);
  await new Promise<void>((resolve) => internal.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void internal.close());
  const { port } = internal.address() as AddressInfo;
  const labels = { 'rexec.http.port': String(port) };
  const details = {
    State: { Status: 'running' },
    Config: { Labels: labels },
    HostConfig: { NetworkMode: 'bridge' },
    NetworkSettings: { Networks: { bridge: { IPAddress: '127.0.0.1' } } },
  };
  const asked: string[] = [];
  server = createServer(({ url = '' }, response) => {
    asked.push(url);
    response.statusCode = url.endsWith('/json') ? 200 : 500;
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(details));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const place = { port: (server.address() as AddressInfo).port, host: '127.0.0.1' };
  const engine = createTestEngine({ dial: async () => connect(place) });
  const target = container('prod/web', { engine: 'prod', address: '127.0.0.1', labels });
  const authorization = grantAuthorization({
    ...{ target, user: undefined, identity },
    allows: { pty: true, forwarding: true, agentForwarding: true, sftp: true },
  });
  const signal = new AbortController().signal;
  await expect(engine.dialWeb(authorization, { mayOpen: () => true, signal })).rejects.toThrow();
  expect(asked.some((url) => url.includes(target.id))).toBe(true);
  expect(connections).toBe(0);
  await engine.close();
});
