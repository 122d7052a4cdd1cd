/** A gateway with an account that has a second factor, and clients that attack it. */
import { readFile } from 'node:fs/promises';
import ssh2, { type AnyAuthMethod, type Client, type KeyboardInteractiveAuthMethod } from 'ssh2';
import { expect } from 'vitest';
import { startTestGateway, type TestGatewayOptions } from './gateway.ts';
import { connectRaw } from './raw-client.ts';
import { enrollOverSsh, movedClock } from './second-factor.ts';
import type { KeyPair } from './ssh-client.ts';

/** What ssh2's client does in private: messages in an order of ours. */
interface Unruly {
  authKeyboard(username: string): void;
  authInfoRes(answers: string[]): void;
}
export const unruly = (client: Client) => (client as unknown as { _protocol: Unruly })._protocol;

export const byKey = async ({ file }: KeyPair, username = 'somebody'): Promise<AnyAuthMethod> => ({
  type: 'publickey',
  username,
  key: await readFile(file),
});

export function byCode(
  answer: (prompts: readonly unknown[]) => string[] | Promise<string[]>,
  username = 'somebody',
): KeyboardInteractiveAuthMethod {
  return {
    type: 'keyboard-interactive',
    username,
    prompt: async (_name, _instructions, _language, prompts, finish) => finish(await answer(prompts)),
  };
}

export type Siege = Awaited<ReturnType<typeof openSiege>>;

/** Alice has a second factor, mallory an account. */
export async function openSiege(options: Pick<TestGatewayOptions, 'folders' | 'overrides'> = {}) {
  const clock = movedClock();
  const door = await startTestGateway({
    ...options,
    overrides: { clock, ...options.overrides },
  });
  const [alice, mallory] = [await door.addMember('alice'), await door.addMember('mallory')];
  const factor = await enrollOverSsh(door, alice, clock);

  const sessions = () => door.logged().filter(({ audit }) => audit === 'session-started').length;
  const accepted = () =>
    door.logged().filter(({ audit, account }) => audit === 'login-accepted' && account === 'alice').length;
  const acceptedBefore = accepted();
  const sessionsBefore = sessions();

  /** Tries each step once, in order, as a client that takes no hint from the server. */
  const login = (...steps: AnyAuthMethod[]) => connectRaw(door.port, { authHandler: [...steps] as never });

  /** A connection whose client is at hand before it is logged in; `ended`: `ready`, or why not. */
  const begin = (authHandler: AnyAuthMethod[]): { client: Client; ended: Promise<string> } => {
    const client = new ssh2.Client();
    const ended = new Promise<string>((resolve) => {
      client.once('ready', () => resolve('ready'));
      client.once('error', (error) => resolve(error.message));
      client.once('close', () => resolve('closed'));
    });
    client.on('error', () => {});
    const to = { host: '127.0.0.1', port: door.port, username: 'somebody', readyTimeout: 10_000 };
    client.connect({ ...to, authHandler: authHandler as never });
    void ended.then(() => client.end());
    return { client, ended };
  };

  /** Runs an attack, which must fail; neither may the gateway take it for a login of alice. */
  const refused = async (attack: Promise<Client>): Promise<void> => {
    const before = accepted();
    await expect(attack.then((client) => client.end())).rejects.toThrow();
    expect(accepted()).toBe(before);
  };

  const loginWorks = async (code = factor.nextCode()) =>
    (
      await login(
        await byKey(alice),
        byCode(() => [code]),
      )
    ).end();

  return {
    clock,
    door,
    alice,
    mallory,
    factor,
    sessions,
    accepted,
    acceptedBefore,
    sessionsBefore,
    login,
    begin,
    refused,
    loginWorks,
  };
}
