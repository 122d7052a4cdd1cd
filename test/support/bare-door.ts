/** The SSH door alone, with a session handler of the test's in the place of the middle. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createAudit, logSink } from '../../src/audit/audit.ts';
import { provenIdentity } from '../../src/auth/identity.ts';
import { createPenalties } from '../../src/auth/penalties.ts';
import type { LoginAuthenticator } from '../../src/auth/second-step.ts';
import { configSchema } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { GatewayError } from '../../src/errors.ts';
import { createEndForFault } from '../../src/metrics/end-for-fault.ts';
import { noMeter } from '../../src/metrics/meter.ts';
import { steadyClock } from '../../src/platform/clock.ts';
import type { SessionEnd, SessionIo, SessionRequest } from '../../src/sessions/session.ts';
import { loadHostKeys } from '../../src/ssh/host-keys.ts';
import { openSshEntrance } from '../../src/ssh/open-ssh-entrance.ts';
import { readClient } from '../../src/ssh/read-client.ts';
import { createSshDoor, type SshDoorOptions } from '../../src/ssh/ssh-door.ts';
import { giveHostKeys } from './host-keys.ts';
import { type KeyPair, makeKeyPair, type SshOptions, ssh, writeKnownHosts } from './ssh-client.ts';

export type TestHandler = (request: SessionRequest, io: SessionIo) => Promise<SessionEnd>;

export interface BareDoor {
  readonly port: number;
  readonly knownHosts: string;
  readonly key: KeyPair;
  /** What the next sessions run. */
  handler: TestHandler;
  readonly ssh: (command?: string, options?: SshOptions) => ReturnType<typeof ssh>;
  readonly logged: () => readonly Record<string, unknown>[];
  readonly close: () => Promise<void>;
}

/** Lets every key in that signs nothing: for tests of what comes after login only. */
const everybody: LoginAuthenticator = {
  probe: async () => 'known',
  authenticate: async ({ source }) =>
    provenIdentity({ accountId: 'a', accountName: 'a', keyId: 'k', fingerprint: 'SHA256:test', source }),
  probeApplicant: async () => ({ refused: 'invite' }),
  authenticateApplicant: async () => ({ refused: 'invite' }),
  proveCode: async () => ({ refused: 'wrong code', final: true, detail: '' }),
};

/** For tests whose subject is what comes after login, or what limits those inside. */
const noPenalties = createPenalties({
  config: configSchema.parse({ perSourcePenalties: false }),
  clock: steadyClock,
  isExempt: () => true,
  onActive: () => {},
});

export async function openBareDoor(
  config: Record<string, unknown> = {},
  parts: Partial<SshDoorOptions> = {},
): Promise<BareDoor> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-door-'));
  const hostKeys = await loadHostKeys(await giveHostKeys(join(folder, 'hostkeys')));
  const key = await makeKeyPair();
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  let bare: BareDoor;
  const given = loadConfig({ env: {}, flags: { sshListen: '127.0.0.1:0', ...config } }).config;
  const audit = createAudit(logSink(log));
  const door = createSshDoor({
    config: given,
    version: '0',
    hostKeys: () => ({ serving: hostKeys, announced: hostKeys }),
    authenticator: everybody,
    runSession: (_connection, request, io) => bare.handler(request, io),
    expectSession: () => {},
    resolveJump: async () => {
      throw new GatewayError('forwarding-refused', {});
    },
    openForward: async () => {
      throw new GatewayError('forward-refused', { name: '' });
    },
    openRemoteForward: async () => {
      throw new GatewayError('forward-refused', { name: '' });
    },
    addConnection: () => () => {},
    audit,
    meter: noMeter,
    onFault: createEndForFault(log, noMeter),
    log,
    ...parts,
  });
  const shared = { isShared: () => false };
  const entrance = await openSshEntrance(
    { config: given, penalties: noPenalties, shared, audit, meter: noMeter, readAs: readClient },
    door.serve,
  );
  const { port } = entrance.address;
  const knownHosts = await writeKnownHosts(
    port,
    hostKeys.map(({ publicKey }) => publicKey),
  );
  bare = {
    port,
    knownHosts,
    key,
    handler: async () => ({ exitStatus: 0 }),
    ssh: (command, options = {}) => ssh({ port, knownHosts }, command, { key, ...options }),
    logged: () => lines,
    close: async () => {
      entrance.close();
      await door.close(100, 'the test is over');
      await rm(folder, { recursive: true, force: true });
    },
  };
  return bare;
}

/** A program that gives its stdin back. */
export const echo: TestHandler = async (_request, io) => {
  for await (const chunk of io.stdin) await written(io, chunk as Buffer);
  return { exitStatus: 0 };
};

/** Writes to stdout and waits until it was taken. */
export function written(
  io: SessionIo,
  chunk: Buffer | string,
  stream: 'stdout' | 'stderr' = 'stdout',
): Promise<void> {
  return new Promise((resolve) => io[stream].write(chunk, () => resolve()));
}
