/** Gateways on one database are one to whoever lists sessions, ends them, or has too many. */
import { describe, expect, it } from 'vitest';
import { runContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import type { TestGateway } from '../support/gateway.ts';
import { startGatewaysTogether } from '../support/gateways-together.ts';
import { forAllTests } from '../support/lifetimes.ts';
import { openPrompt, type Prompt } from '../support/open-prompt.ts';
import type { KeyPair } from '../support/ssh-client.ts';

const both = forAllTests(
  () => startGatewaysTogether({ maxSessionsPerAccount: 3, recordings: 'all' }),
  ({ stop }) => stop(),
);

interface Listed {
  readonly id: string;
  readonly gateway: string;
  readonly account: string;
  readonly what: string;
}

async function list(by: Pick<TestGateway, 'ssh'>, key?: KeyPair) {
  const { text, stderr } = await by.ssh('session list --json', key ? { key } : {});
  expect(stderr).toBe('');
  return (JSON.parse(text) as { sessions: readonly Listed[] }).sessions;
}

/** One on each, by the same key. */
async function openOnBoth(key: KeyPair): Promise<readonly Prompt[]> {
  return Promise.all([openPrompt(both.north, key), openPrompt(both.south.target(), key)]);
}

const placeOf = ({ gateway, account, what }: Listed) => `${account} ${what} ${gateway}`;

async function close(prompts: readonly Prompt[]): Promise<void> {
  for (const { child } of prompts) child.stdin?.end();
  await Promise.all(prompts.map(({ left }) => left));
}

describe('two gateways on one database', () => {
  it('session list shows what runs on both, and where, by whichever one asks', async () => {
    const alice = await both.north.addMember('alice');
    const prompts = await openOnBoth(alice);
    const wanted = ['alice shell north', 'alice shell south'];
    for (const by of [both.north, both.south]) {
      expect((await list(by)).map(placeOf).toSorted()).toEqual(expect.arrayContaining(wanted));
      const own = (await list(by, alice)).map(placeOf).filter((place) => place.includes('shell'));
      expect(own.toSorted()).toEqual(wanted);
      const { text } = await by.ssh('session list');
      expect(text).toMatch(/^ID +GATEWAY +ACCOUNT/);
      expect(text).toMatch(/ south +alice +lobby +shell/);
    }
    await close(prompts);
  });

  it('session kill ends a session on the other, with a sentence', async () => {
    const bob = await both.north.addMember('bob');
    const prompts = await openOnBoth(bob);
    const sessions = (await list(both.north, bob)).filter(({ what }) => what === 'shell');
    for (const { id, gateway } of sessions) {
      const by = gateway === 'north' ? both.south : both.north;
      expect(await by.ssh(`session kill ${id}`)).toMatchObject({ status: 0, stderr: '' });
    }
    await Promise.all(prompts.map(({ left }) => left));
    for (const { shown } of prompts) expect(shown()).toContain('this session was ended by admin.');
    expect((await list(both.south, bob)).filter(({ what }) => what === 'shell')).toEqual([]);
  });

  it('killing-elsewhere: a member neither sees nor ends the session of another on another gateway, nor one that there is not', async () => {
    const carol = await both.north.addMember('carol');
    const mallory = await both.north.addMember('mallory');
    const prompts = await openOnBoth(carol);
    const sessions = (await list(both.north, carol)).filter(({ what }) => what === 'shell');
    expect(sessions).toHaveLength(2);
    const ids = [...sessions.map(({ id }) => id), 'aaaaaaaaaaaaaaaa', "' OR true --"];
    for (const by of [both.north, both.south]) {
      const seen = (await list(by, mallory)).map(({ account }) => account);
      expect(new Set(seen)).toEqual(new Set(['mallory']));
      for (const id of ids) {
        const killed = await by.ssh(`session kill -- "${id}"`, { key: mallory });
        expect([id, killed.status]).toEqual([id, 1]);
        expect(killed.stderr).toContain('there is no session');
      }
    }
    const still = (await list(both.south, carol)).filter(({ what }) => what === 'shell');
    expect(still.map(({ id }) => id).toSorted()).toEqual(sessions.map(({ id }) => id).toSorted());
    await close(prompts);
  });

  it('too-many-by-two-doors: the sessions of an account are counted on both together', async () => {
    const erin = await both.north.addMember('erin');
    const prompts = await openOnBoth(erin);
    const third = await openPrompt(both.south.target(), erin);
    for (const by of [both.north, both.south]) {
      const fourth = await by.ssh('whoami', { key: erin });
      expect(fourth).toMatchObject({
        status: 255,
        stderr: expect.stringContaining('3 sessions are open already'),
      });
      expect((await by.ssh('whoami')).status).toBe(0);
    }
    await close([third]);
    await expect.poll(async () => (await both.north.ssh('whoami', { key: erin })).status).toBe(0);
    await close(prompts);
  });

  it('a recording names the gateway that made it', async () => {
    const container = await runContainer(images.busybox, ['--network=none']);
    for (const [name, by] of [
      ['north', both.north],
      ['south', both.south],
    ] as const) {
      expect((await by.ssh('echo here', { login: `rexec-${container.name}` })).text).toBe('here\n');
      const { recordings } = JSON.parse((await by.ssh('recording list --json')).text);
      expect(recordings).toMatchObject([{ gateway: name, command: 'echo here' }]);
      expect((await by.ssh('recording list')).text).toMatch(new RegExp(`^ID +GATEWAY .*\\n\\S+ +${name} `));
      const { id } = recordings[0];
      expect((await by.ssh(`recording show ${id}`)).text).toMatch(new RegExp(`gateway +${name}`));
      expect((await by.ssh(`recording export ${id}`)).text).toContain(`"gateway":"${name}"`);
    }
    await container.remove();
  });

  it('one that is killed is named as silent for a few seconds; then it is not there, and holds nothing', async () => {
    const dora = await both.north.addMember('dora');
    const prompts = [...(await openOnBoth(dora)), await openPrompt(both.south.target(), dora)];
    const admin = await openPrompt(both.north, both.north.admin);
    await both.south.kill();
    await admin.ask('session list', /gateway south did not answer in time/);
    // Five seconds, and what a busy machine adds.
    await expect
      .poll(async () => (await both.north.ssh('whoami', { key: dora })).status, {
        timeout: 20_000,
        interval: 250,
      })
      .toBe(0);
    expect((await both.north.ssh('session list')).stderr).toBe('');
    expect((await list(both.north)).map(({ gateway }) => gateway)).not.toContain('south');
    await close([admin, ...prompts.slice(0, 1)]);
    await both.south.start();
    expect((await list(both.south)).map(({ gateway }) => gateway)).toContain('south');
  });
});
