/** PerSourcePenalties at the doors, with the real ssh and curl from addresses of their own. */
import { readFile } from 'node:fs/promises';
import ssh2, { type AnyAuthMethod } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../support/http-api.ts';
import { connectRaw, openSocket, ScriptedAgent } from '../support/raw-client.ts';
import { main } from '../support/served.ts';
import { slowPenalties } from '../support/slow-penalties.ts';
import { makeKeyPair, runProgram, sshArguments } from '../support/ssh-client.ts';

let door: Api;
beforeAll(async () => {
  door = await startApi({
    config: { perSourcePenaltyExemptList: ['127.0.0.1'], perSourcePenalties: slowPenalties },
  });
});
afterAll(() => door.stop());

const from = (address: string, login: string, keyFiles: readonly string[], command = 'whoami') => {
  const keys = keyFiles.flatMap((file) => ['-i', file]);
  const args = ['-b', address, '-o', 'BatchMode=yes', ...keys];
  const destination = ['-p', String(door.port), `${login}@127.0.0.1`, command];
  return runProgram('ssh', [...sshArguments(door, { args }), ...destination]);
};

interface Listed {
  readonly source: string;
  readonly reason: string;
  readonly seconds_left: number;
  readonly active: boolean;
  readonly refused: number;
}
const listed = async (source: string): Promise<Listed | undefined> => {
  const answer = await door.ssh('penalty list --json');
  const { penalties } = JSON.parse(answer.text) as { penalties: Listed[] };
  return penalties.find((penalty) => penalty.source === source);
};
const audited = (event: string, source: string) =>
  door.logged().filter((line) => line['audit'] === event && line['source'] === source);

const forged = async (localAddress: string, ...after: AnyAuthMethod[]) => {
  const known = ssh2.utils.parseKey(await readFile(door.admin.file)) as ssh2.ParsedKey;
  const agent = new ScriptedAgent([known], () => Buffer.alloc(64, 7));
  const first: AnyAuthMethod = { type: 'agent', username: 'x', agent };
  return connectRaw(door.port, { localAddress, authHandler: [first, ...after] as never });
};

describe('over SSH', () => {
  it('guessed-invites: four tries, then the real ssh is not allowed at this time; an admin can clear that', async () => {
    const key = await makeKeyPair();
    for (let count = 0; count < 4; count++) {
      const denied = await from('127.0.0.5', `join+GUESS${count}`, [key.file]);
      expect(denied.stderr).toContain('Permission denied');
    }
    // A try counts when the gateway has seen its connection end, which may be after the client has.
    await expect.poll(() => listed('127.0.0.5')).toMatchObject({ active: true });
    const refused = await from('127.0.0.5', 'x', [door.admin.file]);
    expect(refused.status).toBe(255);
    expect(refused.stderr).not.toContain('Permission denied');
    const said = await openSocket(door.port, 'SSH-2.0-x\r\n', '127.0.0.5').closed;
    expect(said.toString()).toBe('Not allowed at this time\r\n');
    expect((await from('127.0.0.6', 'x', [door.admin.file])).text).toContain('Account: admin');

    expect(await listed('127.0.0.5')).toMatchObject({ reason: 'invaliduser', active: true, refused: 2 });
    expect((await door.ssh('penalty list')).text).toMatch(/127\.0\.0\.5 +invaliduser +\d+ s +refused +2/);
    expect(audited('source-penalised', '127.0.0.5')).toMatchObject([{ reason: 'invaliduser' }]);
    expect(audited('connection-refused', '127.0.0.5')).toMatchObject([
      { reason: 'penalty: invaliduser' },
      { reason: 'penalty: invaliduser' },
    ]);

    expect((await door.ssh('penalty clear 127.0.0.5')).text).toBe('Cleared the penalty of 127.0.0.5.\n');
    expect((await from('127.0.0.5', 'x', [door.admin.file])).status).toBe(0);
    expect((await door.ssh('penalty clear 127.0.0.5')).stderr).toContain('nothing is held against 127.0.0.5');
  });

  it('many-keys: whoever offers keys that nobody knows, again and again, gets no penalty', async () => {
    const strangers = await Promise.all(Array.from({ length: 4 }, () => makeKeyPair()));
    for (let count = 0; count < 5; count++) {
      const denied = await from(
        '127.0.0.7',
        'x',
        strangers.map(({ file }) => file),
      );
      expect(denied.stderr).toContain('Permission denied (publickey');
    }
    expect(await listed('127.0.0.7')).toBeUndefined();
  });

  it('forged signatures are failed logins, four connections of them keep the source out', async () => {
    for (let count = 0; count < 4; count++) await expect(forged('127.0.0.8')).rejects.toThrow();
    await expect.poll(() => listed('127.0.0.8')).toMatchObject({ reason: 'authfail', active: true });
    await expect(forged('127.0.0.8')).rejects.toThrow();
    expect(audited('connection-refused', '127.0.0.8')).toHaveLength(1);
  });

  it('nothing is added where the login succeeds after all', async () => {
    const right: AnyAuthMethod = {
      ...{ type: 'publickey', username: 'x' },
      key: await readFile(door.admin.file),
    };
    const client = await forged('127.0.0.9', right);
    client.end();
    await new Promise<void>((resolve) => client.once('close', () => resolve()));
    expect(audited('login-refused', '127.0.0.9')).toHaveLength(1);
    expect(await listed('127.0.0.9')).toBeUndefined();
  });

  it('guessed-passwords are failed logins, though none is ever asked for', async () => {
    const password: AnyAuthMethod = { type: 'password', username: 'root', password: 'root' };
    const config = { localAddress: '127.0.0.10', authHandler: [password] as never };
    await expect(connectRaw(door.port, config)).rejects.toThrow();
    await expect.poll(() => listed('127.0.0.10')).toMatchObject({ reason: 'authfail', active: false });
  });

  it('port-scan: connections that try nothing add up by the second', async () => {
    for (let count = 0; count < 16; count++) {
      const { socket, closed } = openSocket(door.port, 'SSH-2.0-scan\r\n', '127.0.0.11');
      socket.once('data', () => socket.destroy());
      await closed;
    }
    await expect.poll(() => listed('127.0.0.11')).toMatchObject({ reason: 'noauth' });
    const entry = await listed('127.0.0.11');
    expect(entry?.seconds_left).toBeGreaterThan(30);
  });

  it('who lets LoginGraceTime pass pays for each time', async () => {
    const strict = await startApi({
      config: { perSourcePenaltyExemptList: [], perSourcePenalties: slowPenalties, loginGraceTimeMs: 200 },
    });
    try {
      const silent = [1, 2].map(() => openSocket(strict.port, '', '127.0.0.12').closed);
      await Promise.all(silent);
      await expect
        .poll(() => openSocket(strict.port, '', '127.0.0.12').closed.then(String))
        .toBe('Not allowed at this time\r\n');
    } finally {
      await strict.stop();
    }
  });
});

describe('over HTTP', () => {
  const ask = (address: string, token?: string) =>
    door.ask({ token, line: 'whoami', args: ['--interface', address] });

  it('guessed-tokens: wrong ones are failed logins; then 429 with Retry-After, whatever is shown', async () => {
    const good = await door.apiKey();
    for (let count = 0; count < 4; count++) {
      expect((await ask('127.0.0.20', `exe1.${'a'.repeat(31)}${count + 2}`)).status).toBe(401);
    }
    const refused = await ask('127.0.0.20', good);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(10);
    expect(refused.json()).toMatchObject({ code: 'penalised' });
    const elsewhere = ['-H', 'Host: web.gw.example', '--interface', '127.0.0.20'];
    const passage = await door.ask({ token: good, path: '/', args: elsewhere });
    expect([passage.status, Number(passage.headers['retry-after']) > 10]).toEqual([429, true]);

    expect((await ask('127.0.0.21', good)).status).toBe(200);
    expect((await openSocket(door.port, '', '127.0.0.20').closed).toString()).toContain('Not allowed');
    for (let count = 0; count < 10; count++) await ask('127.0.0.20', 'exe1.wrong');
    expect(audited('login-refused', '127.0.0.20')).toHaveLength(4);
    expect(await listed('127.0.0.20')).toMatchObject({ reason: 'authfail', active: true });
  });

  it('log-flood: refused requests without number are few lines in the log', async () => {
    const lines = () =>
      door.logged().filter((line) => line['msg'] === 'request' && line['source'] === '127.0.0.23').length;
    const args = ['--interface', '127.0.0.23'];
    await door.ask({ token: 'exe1.wrong', path: '/exec?n=[1-700]', args, timeoutMs: 60_000 });
    await expect.poll(lines).toBeGreaterThanOrEqual(500);
    expect(lines()).toBeLessThan(550);
    expect(audited('login-refused', '127.0.0.23').length).toBeLessThan(10);
  });

  it('no token at all is no try', async () => {
    for (let count = 0; count < 6; count++) expect((await ask('127.0.0.22')).status).toBe(401);
    expect(await listed('127.0.0.22')).toBeUndefined();
  });

  it('a token clears, and so does the operator on the control socket; both are in the audit', async () => {
    const operator = (...words: string[]) =>
      runProgram(process.execPath, [main, ...words, '--data', door.dataDir]);
    // Those of the tests before may be over by now.
    const sources = [24, 25, 26, 27].map((last) => `127.0.0.${last}`);
    for (let count = 0; count < 3; count++)
      await Promise.all(sources.map((source) => ask(source, 'exe1.wrong')));
    expect((await operator('penalty', 'list')).text).toMatch(/127\.0\.0\.24 +authfail/);
    expect((await operator('penalty', 'clear', '127.0.0.24')).text).toContain('Cleared');
    const token = await door.apiKey('--cmds="penalty clear"');
    const cleared = await door.ask({ token, line: 'penalty clear --all' });
    expect(cleared.json<{ cleared: number }>().cleared).toBeGreaterThan(2);
    expect((await door.ssh('penalty list')).text).toBe('no penalties\n');
    const logged = (facts: object) =>
      expect(door.logged()).toContainEqual(expect.objectContaining(facts as Record<string, unknown>));
    logged({ audit: 'command-run', account: 'admin', line: 'penalty clear --all', outcome: 'done' });
    logged({ audit: 'operator-acted', what: 'penalty clear 127.0.0.24', outcome: 'done' });
  });
});

describe("the bridge's address, which everybody has behind docker run -p", () => {
  const bridge = '127.0.0.60';
  let behind: Api;
  beforeAll(async () => {
    const config = {
      ...{ bridgeAddress: bridge, perSourceMaxStartups: 2 },
      ...{ perSourcePenaltyExemptList: [], perSourcePenalties: slowPenalties },
    };
    behind = await startApi({ config });
  });
  afterAll(() => behind.stop());

  /** How many of `count` connections get the gateway's version line. */
  const greeted = async (count: number, address: string) => {
    const opened = Array.from({ length: count }, () => openSocket(behind.port, 'SSH-2.0-x\r\n', address));
    const greetings = opened.map(({ socket, closed }) =>
      Promise.race([closed.then(() => false), new Promise((yes) => socket.once('data', () => yes(true)))]),
    );
    const there = (await Promise.all(greetings)).filter((greeting) => greeting === true).length;
    for (const { socket } of opened) socket.destroy();
    return there;
  };

  it('has no limits per source, and the log says once what to do', async () => {
    expect(await greeted(6, '127.0.0.61')).toBe(2);
    expect(await greeted(6, bridge)).toBe(6);
    for (let count = 0; count < 6; count++) {
      const args = ['--interface', bridge];
      expect((await behind.ask({ token: 'exe1.wrong', line: 'ls', args })).status).toBe(401);
    }
    const warnings = behind.logged().filter(({ msg }) => String(msg).includes(`come from ${bridge}`));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.['msg']).toContain('--network host');
  });
});
