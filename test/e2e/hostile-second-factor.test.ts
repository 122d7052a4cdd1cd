/** Attacks on the second factor: none ends with a login. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2, { type Connection } from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sendPayload } from '../../src/ssh/ssh2-internals.ts';
import { byte, string, uint32 } from '../../src/ssh/wire.ts';
import { ScriptedAgent } from '../support/raw-client.ts';
import { answering, enrollOverSsh } from '../support/second-factor.ts';
import { byCode, byKey, openSiege, type Siege } from '../support/siege.ts';

let at: Siege;
beforeEach(async () => {
  at = await openSiege();
});
afterEach(() => at.door.stop());

describe('the code alone', () => {
  it('keyboard-interactive before the key is not even asked', async () => {
    let asked = 0;
    const code = byCode(() => {
      asked++;
      return [at.factor.code()];
    });
    at.clock.advance(60_000);
    await at.refused(at.login(code));
    await at.refused(at.login(code, await byKey(at.alice)));
    expect(asked).toBe(0);
    await at.loginWorks();
  });

  it('is nothing after a key whose signature was forged', async () => {
    const [parsed] = [ssh2.utils.parseKey(await readFile(at.alice.file))].flat() as [ssh2.ParsedKey];
    const agent = new ScriptedAgent([parsed], () => Buffer.alloc(64, 7));
    const code = byCode(() => [at.factor.nextCode()]);
    await at.refused(at.login({ type: 'agent', username: 'somebody', agent }, code));
  });
});

describe('half a login', () => {
  it('the key of another account after partial success opens neither account', async () => {
    await at.refused(at.login(await byKey(at.alice), await byKey(at.mallory)));
    await at.refused(
      at.login(
        await byKey(at.alice),
        await byKey(at.mallory),
        byCode(() => ['000000']),
      ),
    );
    // The code then completes the key that was proven first, and nobody else.
    const client = await at.login(
      await byKey(at.alice),
      await byKey(at.mallory),
      byCode(() => [at.factor.nextCode()]),
    );
    client.end();
    const logins = at.door.logged().filter(({ audit }) => audit === 'login-accepted');
    expect(logins.at(-1)).toMatchObject({ account: 'alice' });
  });

  it("mallory's code is worth nothing for alice's key", async () => {
    const own = await enrollOverSsh(at.door, at.mallory, at.clock);
    await at.refused(
      at.login(
        await byKey(at.alice),
        byCode(() => [own.nextCode()]),
      ),
    );
    await at.refused(
      at.login(
        await byKey(at.alice),
        byCode(() => [own.recoveryCodes[0] as string]),
      ),
    );
  });

  it('another user name in the second step ends it', async () => {
    const code = at.factor.nextCode();
    await at.refused(
      at.login(
        await byKey(at.alice, 'somebody'),
        byCode(() => [code], 'rexec-web'),
      ),
    );
    await at.loginWorks(code);
  });

  it('opens no channel', async () => {
    const { client, ended } = at.begin([
      await byKey(at.alice),
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
    expect(at.sessions()).toBe(at.sessionsBefore);
  });
});

/** Logs in four times at the same moment with one code; resolves to those that got in. */
async function loginFourTimes(code: string) {
  const attempts = await Promise.allSettled(
    Array.from({ length: 4 }, async () =>
      at.login(
        await byKey(at.alice),
        byCode(() => [code]),
      ),
    ),
  );
  return attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
}

describe('codes again and again', () => {
  it('a code that logged in once logs in no second connection, after it or beside it', async () => {
    const code = at.factor.nextCode();
    const clients = await loginFourTimes(code);
    expect(clients).toHaveLength(1);
    for (const client of clients) client.end();
    await at.refused(
      at.login(
        await byKey(at.alice),
        byCode(() => [code]),
      ),
    );
  });

  it('a recovery code that is sent four times at once logs in once', async () => {
    const [code] = at.factor.recoveryCodes as [string];
    const clients = await loginFourTimes(code);
    expect(clients).toHaveLength(1);
    for (const client of clients) client.end();
  });

  it('brute force: five wrong codes on any number of connections lock it, for the right code too', async () => {
    const wrong = () => byCode(() => ['not it']);
    await at.refused(at.login(await byKey(at.alice), wrong(), wrong(), wrong(), wrong()));
    await at.refused(at.login(await byKey(at.alice), wrong(), wrong()));
    const { options } = await answering(at.factor.code());
    const locked = await at.door.ssh('whoami', { key: at.alice, ...options, args: ['-o', 'LogLevel=INFO'] });
    expect(locked.stderr).toMatch(/too many wrong codes: none is taken until 20\d\d-/);
    expect(locked.status).toBe(255);
    at.clock.advance(61_000);
    await at.loginWorks();
  });

  it('wrong codes of one account lock no other', async () => {
    const own = await enrollOverSsh(at.door, at.mallory, at.clock);
    const wrong = () => byCode(() => ['not it']);
    await at.refused(at.login(await byKey(at.alice), wrong(), wrong(), wrong()));
    await at.refused(at.login(await byKey(at.alice), wrong(), wrong(), wrong()));
    (
      await at.login(
        await byKey(at.mallory),
        byCode(() => [own.nextCode()]),
      )
    ).end();
  });

  it('each refusal is in the audit with the key, and without the code', async () => {
    await at.refused(
      at.login(
        await byKey(at.alice),
        byCode(() => ['314159']),
      ),
    );
    const lines = at.door.logged().filter(({ audit }) => audit === 'login-refused');
    expect(lines).toContainEqual(
      expect.objectContaining({ reason: 'wrong code', fingerprint: at.alice.fingerprint }),
    );
    expect(JSON.stringify(at.door.logged())).not.toContain('314159');
  });
});
