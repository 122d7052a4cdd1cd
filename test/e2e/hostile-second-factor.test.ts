/** Attacks on the second factor: none ends with a login. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2, {
  type AnyAuthMethod,
  type Client,
  type Connection,
  type KeyboardInteractiveAuthMethod,
} from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sendPayload, transportOf } from '../../src/ssh/ssh2-internals.ts';
import { byte, string, uint32 } from '../../src/ssh/wire.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connectRaw, ScriptedAgent } from '../support/raw-client.ts';
import { answering, type Enrolled, enrollOverSsh, movedClock } from '../support/second-factor.ts';
import type { KeyPair } from '../support/ssh-client.ts';

let clock: ReturnType<typeof movedClock>;
let door: TestGateway;
let alice: KeyPair;
let mallory: KeyPair;
let factor: Enrolled;
let acceptedBefore: number;
let sessionsBefore: number;
beforeEach(async () => {
  clock = movedClock();
  door = await startTestGateway({ overrides: { clock }, config: { loginGraceTimeMs: 3_000 } });
  [alice, mallory] = [await door.addMember('alice'), await door.addMember('mallory')];
  factor = await enrollOverSsh(door, alice, clock);
  acceptedBefore = accepted();
  sessionsBefore = sessions();
});
afterEach(() => door.stop());

/** What ssh2's client does in private: messages in an order of ours. */
interface Unruly {
  _protocol: { authKeyboard(username: string): void; authInfoRes(answers: string[]): void };
}
const unruly = (client: Client) => (client as unknown as Unruly)._protocol;

const byKey = async ({ file }: KeyPair, username = 'somebody'): Promise<AnyAuthMethod> => ({
  type: 'publickey',
  username,
  key: await readFile(file),
});

function byCode(
  answer: (prompts: readonly unknown[]) => string[] | Promise<string[]>,
  username = 'somebody',
): KeyboardInteractiveAuthMethod {
  return {
    type: 'keyboard-interactive',
    username,
    prompt: async (_name, _instructions, _language, prompts, finish) => finish(await answer(prompts)),
  };
}

/** A connection whose client is at hand before it is logged in; `ended`: `ready`, or why not. */
function begin(authHandler: AnyAuthMethod[]): { client: Client; ended: Promise<string> } {
  const client = new ssh2.Client();
  const ended = new Promise<string>((resolve) => {
    client.once('ready', () => resolve('ready'));
    client.once('error', (error) => resolve(error.message));
    client.once('close', () => resolve('closed'));
  });
  client.on('error', () => {});
  const { port } = door;
  client.connect({
    host: '127.0.0.1',
    port,
    username: 'somebody',
    readyTimeout: 10_000,
    authHandler: authHandler as never,
  });
  void ended.then(() => client.end());
  return { client, ended };
}

/** Tries each step once, in order, as a client that takes no hint from the server. */
const login = (...steps: AnyAuthMethod[]) => connectRaw(door.port, { authHandler: [...steps] as never });
const sessions = () => door.logged().filter(({ audit }) => audit === 'session-started').length;
const accepted = () =>
  door.logged().filter(({ audit, account }) => audit === 'login-accepted' && account === 'alice').length;

/** Runs an attack, which must fail; neither may the gateway take it for a login of alice. */
async function refused(attack: Promise<Client>): Promise<void> {
  const before = accepted();
  await expect(attack.then((client) => client.end())).rejects.toThrow();
  expect(accepted()).toBe(before);
}

const loginWorks = async (code = factor.nextCode()) =>
  (
    await login(
      await byKey(alice),
      byCode(() => [code]),
    )
  ).end();

describe('the code alone', () => {
  it('keyboard-interactive before the key is not even asked', async () => {
    let asked = 0;
    const code = byCode(() => {
      asked++;
      return [factor.code()];
    });
    clock.advance(60_000);
    await refused(login(code));
    await refused(login(code, await byKey(alice)));
    expect(asked).toBe(0);
    await loginWorks();
  });

  it('is nothing after a key whose signature was forged', async () => {
    const [parsed] = [ssh2.utils.parseKey(await readFile(alice.file))].flat() as [ssh2.ParsedKey];
    const agent = new ScriptedAgent([parsed], () => Buffer.alloc(64, 7));
    const code = byCode(() => [factor.nextCode()]);
    await refused(login({ type: 'agent', username: 'somebody', agent }, code));
  });
});

describe('half a login', () => {
  it('the key of another account after partial success opens neither account', async () => {
    await refused(login(await byKey(alice), await byKey(mallory)));
    await refused(
      login(
        await byKey(alice),
        await byKey(mallory),
        byCode(() => ['000000']),
      ),
    );
    // The code then completes the key that was proven first, and nobody else.
    const client = await login(
      await byKey(alice),
      await byKey(mallory),
      byCode(() => [factor.nextCode()]),
    );
    client.end();
    const logins = door.logged().filter(({ audit }) => audit === 'login-accepted');
    expect(logins.at(-1)).toMatchObject({ account: 'alice' });
  });

  it("mallory's code is worth nothing for alice's key", async () => {
    const own = await enrollOverSsh(door, mallory, clock);
    await refused(
      login(
        await byKey(alice),
        byCode(() => [own.nextCode()]),
      ),
    );
    await refused(
      login(
        await byKey(alice),
        byCode(() => [own.recoveryCodes[0] as string]),
      ),
    );
  });

  it('another user name in the second step ends it', async () => {
    const code = factor.nextCode();
    await refused(
      login(
        await byKey(alice, 'somebody'),
        byCode(() => [code], 'rexec-web'),
      ),
    );
    await loginWorks(code);
  });

  it('opens no channel', async () => {
    const { client, ended } = begin([
      await byKey(alice),
      byCode(async () => {
        // RFC 4254 §5.1, before the code was given.
        sendPayload(
          client as unknown as Connection,
          Buffer.concat([byte(90), string('session'), uint32(0), uint32(1 << 20), uint32(1 << 15)]),
        );
        await sleep(300);
        return ['000000'];
      }),
    ]);
    expect(await ended).not.toBe('ready');
    expect(sessions()).toBe(sessionsBefore);
  });
});

describe('answers that were not asked for', () => {
  it.each([
    ['two for one prompt', (code: string) => [code, code]],
    ['a thousand', (code: string) => Array.from({ length: 1_000 }, () => code)],
    ['none', () => []],
  ])('%s: refused, and no code is used up by it', async (_name, answers) => {
    const code = factor.nextCode();
    await refused(
      login(
        await byKey(alice),
        byCode(() => answers(code)),
      ),
    );
    await loginWorks(code);
  });

  it('an answer of 30,000 digits is only a wrong code', async () => {
    const long = '1'.repeat(30_000);
    await refused(
      login(
        await byKey(alice),
        byCode(() => [long]),
      ),
    );
    expect((await door.ssh('version')).status).toBe(0);
  });

  it('a second answer to the same prompt is not read', async () => {
    const { client, ended } = begin([
      await byKey(alice),
      byCode(() => {
        unruly(client).authInfoRes(['000000']);
        return [factor.nextCode()];
      }),
    ]);
    expect(await ended).not.toBe('ready');
    expect(accepted()).toBe(acceptedBefore);
  });

  it('a request that takes the place of the one being checked gets the answer of its own', async () => {
    let prompts = 0;
    const { client, ended } = begin([
      await byKey(alice),
      byCode(() => {
        // The right code, and in the same breath a new request: the login of the first must not happen.
        const protocol = unruly(client);
        if (prompts++ === 0) {
          const socket = transportOf(client as unknown as Connection);
          socket.cork();
          protocol.authInfoRes([factor.nextCode()]);
          protocol.authKeyboard('somebody');
          socket.uncork();
        }
        return new Promise<string[]>(() => {});
      }),
    ]);
    expect(await ended).not.toBe('ready');
    expect(prompts).toBe(2);
    expect(accepted()).toBe(acceptedBefore);
    await loginWorks();
  });

  it('prompts that are asked for and never answered are three at most', async () => {
    let prompts = 0;
    const { client, ended } = begin([
      await byKey(alice),
      byCode(() => {
        prompts++;
        unruly(client).authKeyboard('somebody');
        return new Promise<string[]>(() => {});
      }),
    ]);
    expect(await ended).toMatch(/NO_MORE_AUTH_METHODS/);
    expect(prompts).toBe(3);
  });
});

describe('no answer', () => {
  it('is cut off at LoginGraceTime', async () => {
    const startedAt = Date.now();
    const { ended } = begin([await byKey(alice), byCode(() => new Promise<string[]>(() => {}))]);
    expect(await ended).not.toBe('ready');
    expect(Date.now() - startedAt).toBeGreaterThan(2_500);
    expect(Date.now() - startedAt).toBeLessThan(6_000);
    expect(door.logged().some(({ reason }) => reason === 'no login in time')).toBe(true);
  });
});

describe('codes again and again', () => {
  it('a code that logged in once logs in no second connection, after it or beside it', async () => {
    const code = factor.nextCode();
    const attempts = await Promise.allSettled(
      Array.from({ length: 4 }, async () =>
        login(
          await byKey(alice),
          byCode(() => [code]),
        ),
      ),
    );
    const clients = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
    expect(clients).toHaveLength(1);
    for (const client of clients) client.end();
    await refused(
      login(
        await byKey(alice),
        byCode(() => [code]),
      ),
    );
  });

  it('a recovery code that is sent four times at once logs in once', async () => {
    const [code] = factor.recoveryCodes as [string];
    const attempts = await Promise.allSettled(
      Array.from({ length: 4 }, async () =>
        login(
          await byKey(alice),
          byCode(() => [code]),
        ),
      ),
    );
    const clients = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
    expect(clients).toHaveLength(1);
    for (const client of clients) client.end();
  });

  it('brute force: five wrong codes on any number of connections lock it, for the right code too', async () => {
    const wrong = () => byCode(() => ['not it']);
    await refused(login(await byKey(alice), wrong(), wrong(), wrong(), wrong()));
    await refused(login(await byKey(alice), wrong(), wrong()));
    const { options } = await answering(factor.code());
    const locked = await door.ssh('whoami', { key: alice, ...options, args: ['-o', 'LogLevel=INFO'] });
    expect(locked.stderr).toMatch(/too many wrong codes: none is taken until 20\d\d-/);
    expect(locked.status).toBe(255);
    clock.advance(61_000);
    await loginWorks();
  });

  it('wrong codes of one account lock no other', async () => {
    const own = await enrollOverSsh(door, mallory, clock);
    const wrong = () => byCode(() => ['not it']);
    await refused(login(await byKey(alice), wrong(), wrong(), wrong()));
    await refused(login(await byKey(alice), wrong(), wrong(), wrong()));
    (
      await login(
        await byKey(mallory),
        byCode(() => [own.nextCode()]),
      )
    ).end();
  });

  it('each refusal is in the audit with the key, and without the code', async () => {
    await refused(
      login(
        await byKey(alice),
        byCode(() => ['314159']),
      ),
    );
    const lines = door.logged().filter(({ audit }) => audit === 'login-refused');
    expect(lines).toContainEqual(
      expect.objectContaining({ reason: 'wrong code', fingerprint: alice.fingerprint }),
    );
    expect(JSON.stringify(door.logged())).not.toContain('314159');
  });
});
