/** The gateway behind the real HAProxy: whose a connection is comes through, to everything that asks. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHaproxy } from '../support/haproxy.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { slowPenalties } from '../support/slow-penalties.ts';
import { makeKeyPair, runProgram, sshArguments, writeKnownHosts } from '../support/ssh-client.ts';
import { makeCertificate } from '../support/tls-certificate.ts';

/** What HAProxy connects from, speaking the PROXY protocol or HTTP. */
const [speaker, forwarder] = ['127.0.0.30', '127.0.0.40'];

let door: Api;
let tlsDoor: Api;
let proxy: Awaited<ReturnType<typeof startHaproxy>>;
const ports = { v1: 0, v2: 0, http: 0, forwarded: 0, tls: 0 };

beforeAll(async () => {
  const { cert: tlsCert, key: tlsKey } = await makeCertificate('gw.example');
  const config = {
    proxyProtocolFrom: [speaker],
    trustedProxies: [forwarder],
    perSourcePenaltyExemptList: [],
    perSourcePenalties: slowPenalties,
  };
  door = await startApi({ config });
  tlsDoor = await startApi({ config: { ...config, tlsCert, tlsKey } });
  const http = door.gateway.httpAddress?.port as number;
  const https = tlsDoor.gateway.httpAddress?.port as number;
  const from = (address: string, options = '') => `source ${address} ${options}`;
  const lines = ['option forwardfor'];
  proxy = await startHaproxy([
    { mode: 'tcp', to: door.port, options: from(speaker, 'send-proxy') },
    { mode: 'tcp', to: door.port, options: from(speaker, 'send-proxy-v2') },
    { mode: 'http', to: http, options: from(speaker, 'send-proxy-v2') },
    { mode: 'http', to: http, options: from(forwarder), lines },
    { mode: 'tcp', to: https, options: from(speaker, 'send-proxy-v2') },
  ]);
  [ports.v1, ports.v2, ports.http, ports.forwarded, ports.tls] = proxy.ports as [
    ...[number, number, number, number, number],
  ];
});
afterAll(async () => {
  await proxy.stop();
  await Promise.all([door.stop(), tlsDoor.stop()]);
});

async function sshThrough(port: number, address: string, command: string, options: readonly string[] = []) {
  const knownHosts = await writeKnownHosts(
    port,
    door.gateway.hostKeys.map((key) => key.publicKey),
  );
  const args = ['-b', address, '-o', 'BatchMode=yes', ...options, '-i', door.admin.file];
  const to = ['-p', String(port), 'x@127.0.0.1', command];
  return runProgram('ssh', [...sshArguments({ port, knownHosts }, { args }), ...to]);
}

const lastAudited = (of: Api, event: string) =>
  of
    .logged()
    .filter((line) => line['audit'] === event)
    .at(-1);

describe('SSH', () => {
  it.each(['v1', 'v2'] as const)(
    'by %s the client’s own address is in the audit and the sessions',
    async (way) => {
      const address = way === 'v1' ? '127.0.0.31' : '127.0.0.32';
      const answer = await sshThrough(ports[way], address, 'session list --json');
      expect(answer.stderr).toBe('');
      const { sessions } = JSON.parse(answer.text) as { sessions: { source: string; current: boolean }[] };
      expect(sessions.find(({ current }) => current)?.source).toBe(address);
      expect(lastAudited(door, 'login-accepted')).toMatchObject({ source: address });
    },
  );

  it('from= of a key means the client, not the proxy', async () => {
    const [ofClient, ofProxy] = await Promise.all([makeKeyPair(), makeKeyPair()]);
    await door.ssh('ssh-key add', { stdin: `from="127.0.0.33" ${ofClient.publicKey}\n` });
    await door.ssh('ssh-key add', { stdin: `from="${speaker}" ${ofProxy.publicKey}\n` });
    const used = async (address: string) => {
      const keys = ['-i', ofProxy.file, '-i', ofClient.file];
      const { text } = await sshThrough(ports.v2, address, 'whoami', keys);
      // The key of this connection has a star.
      return /\* +\S+ +(\S+)/.exec(text)?.[1];
    };
    expect(await used('127.0.0.33')).toBe(ofClient.fingerprint);
    expect(await used('127.0.0.34')).toBe(door.admin.fingerprint);
  });

  it('penalties are for the client; the next one behind the same proxy comes in', async () => {
    for (let count = 0; count < 4; count++) {
      const denied = await sshThrough(ports.v1, '127.0.0.35', 'whoami', ['-l', `join+GUESS${count}`]);
      expect(denied.status).toBe(255);
    }
    // A try counts when the gateway has seen its connection end, which may be after the client has.
    const listed = async () => (await sshThrough(ports.v1, '127.0.0.36', 'penalty list')).text;
    await expect.poll(listed).toMatch(/127\.0\.0\.35 +invaliduser +\d+ s +refused/);
    expect((await sshThrough(ports.v1, '127.0.0.35', 'whoami')).status).toBe(255);
    expect((await sshThrough(ports.v2, '127.0.0.36', 'whoami')).status).toBe(0);
  });

  it('who is no listed proxy comes in directly, as before', async () => {
    const answer = await door.ssh('whoami');
    expect(answer.status).toBe(0);
    expect(lastAudited(door, 'login-accepted')).toMatchObject({ source: '127.0.0.1' });
  });
});

describe('HTTP', () => {
  const whoami = async (port: number, address: string, of = door, args: readonly string[] = []) => {
    const token = await of.apiKey('--cmds="session list"');
    const scheme = of.gateway.httpScheme;
    const config = ['-sS', '-k', '--interface', address, '-H', `Authorization: Bearer ${token}`];
    const url = `${scheme}://127.0.0.1:${port}/exec`;
    return runProgram('curl', [...config, ...args, '--data', 'session list', url]);
  };
  const loggedSource = (of: Api) =>
    of
      .logged()
      .filter((line) => line['msg'] === 'request' && line['path'] === '/exec')
      .at(-1)?.['source'];

  it('by the PROXY protocol', async () => {
    expect((await whoami(ports.http, '127.0.0.41')).text).toContain('"sessions"');
    expect(loggedSource(door)).toBe('127.0.0.41');
  });

  it('by the PROXY protocol in front of TLS, which the gateway ends', async () => {
    expect((await whoami(ports.tls, '127.0.0.42', tlsDoor)).text).toContain('"sessions"');
    expect(loggedSource(tlsDoor)).toBe('127.0.0.42');
  });

  it('by curl’s own PROXY header, with the request in the same packet', async () => {
    const { port } = door.gateway.httpAddress as { port: number };
    const direct = await whoami(port, speaker, door, ['--haproxy-protocol']);
    expect(direct.text).toContain('"sessions"');
    const { port: tlsPort } = tlsDoor.gateway.httpAddress as { port: number };
    expect((await whoami(tlsPort, speaker, tlsDoor, ['--haproxy-protocol'])).text).toContain('"sessions"');
  });

  it('by X-Forwarded-For of a trusted proxy, to penalties too', async () => {
    expect((await whoami(ports.forwarded, '127.0.0.43')).text).toContain('"sessions"');
    expect(loggedSource(door)).toBe('127.0.0.43');
    const wrong = (address: string) =>
      runProgram('curl', [
        ...['-sS', '-o', '/dev/null', '-w', '%{http_code}', '--interface', address],
        ...[
          '-H',
          'Authorization: Bearer exe1.wrong',
          '--data',
          'ls',
          `http://127.0.0.1:${ports.forwarded}/exec`,
        ],
      ]);
    for (let count = 0; count < 4; count++) expect((await wrong('127.0.0.44')).text).toBe('401');
    expect((await wrong('127.0.0.44')).text).toBe('429');
    expect((await wrong('127.0.0.45')).text).toBe('401');
  });

  it('forged-forwarded-for: what a client writes itself counts neither through the proxy nor past it', async () => {
    const forged = ['-H', 'X-Forwarded-For: 198.51.100.1', '-H', `X-Forwarded-For: ${forwarder}`];
    await whoami(ports.forwarded, '127.0.0.46', door, forged);
    expect(loggedSource(door)).toBe('127.0.0.46');
    const { port } = door.gateway.httpAddress as { port: number };
    await whoami(port, '127.0.0.47', door, forged);
    expect(loggedSource(door)).toBe('127.0.0.47');
  });
});
