/** Listeners and peers on sockets of their own, gone when the test is over. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type ConnectOptions, connectPeer } from '../../../src/ipc/connect-peer.ts';
import { type IpcListenerOptions, openIpcListener } from '../../../src/ipc/open-listener.ts';
import { openSteadyPeer } from '../../../src/ipc/open-steady-peer.ts';
import type { Handler, Handlers } from '../../../src/ipc/serving.ts';

export const ofMethods = (methods: Readonly<Record<string, Handler>>): Handlers =>
  new Map(Object.entries(methods));

export async function makeSocketPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-ipc-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'workers.sock');
}

const neverFault = (error: unknown) => {
  throw error;
};

export async function listenFor(
  path: string,
  methods: Readonly<Record<string, Handler>>,
  more: Partial<IpcListenerOptions> = {},
) {
  const listener = await openIpcListener({
    path,
    accept: () => ofMethods(methods),
    onFault: neverFault,
    ...more,
  });
  onTestFinished(() => listener.close());
  return listener;
}

export async function connectTo(path: string, more: Partial<ConnectOptions> = {}) {
  const connected = await connectPeer({
    path,
    who: 'a test',
    handlers: () => new Map(),
    onFault: neverFault,
    ...more,
  });
  onTestFinished(() => connected.peer.close('the test is over'));
  return connected;
}

export function steadyTo(path: string, more: Partial<Parameters<typeof openSteadyPeer>[0]> = {}) {
  const peer = openSteadyPeer({ path, who: 'a test', onFault: neverFault, ...more });
  onTestFinished(() => peer.close());
  return peer;
}
