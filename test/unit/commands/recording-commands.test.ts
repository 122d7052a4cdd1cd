import { describe, expect, it } from 'vitest';
import { forEachTest } from '../../support/lifetimes.ts';
import { openPeopledLobby, statusOf } from '../../support/lobby.ts';
import { container, identityOf, putAccount, putKey } from '../../support/people.ts';
import { recordingFacts } from '../../support/recordings.ts';
import { terminal } from '../../support/session-io.ts';

const lobby = forEachTest(openPeopledLobby, ({ close }) => close());

const idOf = (letter: string) => letter.repeat(16);
async function record(letter: string, facts: object = {}, text = 'hello \x1b]0;x\x07\x1b[1mworld\x1b[m\r\n') {
  const recording = await lobby.services.recordings.open(
    { ...recordingFacts, id: idOf(letter), ...facts },
    'on',
  );
  recording.write('o', text);
  await recording.finish({ exitStatus: 0 });
}

const modeOf = async (target: string) => {
  const { authorizer } = lobby.services;
  const principal = await authorizer.principal(lobby.admin);
  return (await authorizer.authorize(principal, container(target), undefined)).recording;
};

describe('what is recorded', () => {
  it('is set for a target and for an account, the strictest holding, and taken back', async () => {
    expect(await modeOf('web')).toBeUndefined();
    expect((await lobby.json(lobby.admin, 'recording set web on')).data).toEqual({
      target: 'web',
      recording: 'on',
      configured: 'off',
    });
    expect([await modeOf('web'), await modeOf('db')]).toEqual(['on', undefined]);
    await lobby.json(lobby.admin, 'recording set --account=ada required');
    expect([await modeOf('web'), await modeOf('db')]).toEqual(['required', 'required']);
    expect((await lobby.json(lobby.admin, 'recording set web')).data).toMatchObject({ recording: 'on' });
    expect((await lobby.json(lobby.admin, 'recording set --account=ada')).data).toMatchObject({
      account: 'ada',
      recording: 'required',
    });
    await lobby.json(lobby.admin, 'recording set --account=ada off');
    await lobby.json(lobby.admin, 'recording set web off');
    expect(await modeOf('web')).toBeUndefined();
  });

  it.each([
    ['recording set', 'usage'],
    ['recording set web perhaps', 'usage'],
    ['recording set web on --account=ada', 'usage'],
    ['recording set nosuch on', 'target-not-found'],
    ['recording set --account=nosuch on', 'account-not-found'],
    ['recording list --since=yesterday', 'usage'],
    ['recording list --limit=0', 'usage'],
    [`recording play ${idOf('a')} --speed=0`, 'usage'],
    [`recording play ${idOf('a')} --idle-limit=x`, 'usage'],
  ])('wrong lines are told: %s', async (line, code) => {
    expect((await lobby.json(lobby.admin, line)).data).toMatchObject({ code });
  });

  it('goes with the account', async () => {
    const bob = await putAccount(lobby.services.store, 'bob', 'member');
    await lobby.json(lobby.admin, 'recording set --account=bob on');
    await lobby.json(lobby.admin, 'account remove bob');
    expect(await lobby.services.store.get('recordingRules', `account:${bob.id}`)).toBeUndefined();
  });
});

describe('looking at recordings', () => {
  it('an owner sees those in their targets, an admin all, somebody in them none: not even that they exist', async () => {
    await record('a');
    await record('b', { target: 'db', targetKey: 'container:db' });
    const mia = await putAccount(lobby.services.store, 'alice', 'member');
    const alice = identityOf(mia, await putKey(lobby.services.store, mia, 'k'));
    const seen = async (identity: typeof alice) =>
      (await lobby.json(identity, 'recording list')).data.recordings.map(({ id }: { id: string }) => id);
    expect(await seen(lobby.admin)).toEqual([idOf('b'), idOf('a')]);
    expect(await seen(lobby.owner)).toEqual([idOf('a')]);
    expect(await seen(alice)).toEqual([]);
    for (const id of [idOf('a'), idOf('c'), '../x']) {
      expect((await lobby.json(alice, `recording show ${id}`)).data).toMatchObject({
        code: 'recording-not-found',
      });
    }
  });

  it('without an engine an admin still sees all', async () => {
    await record('a');
    lobby.breakWith('connect ENOENT');
    expect((await lobby.json(lobby.admin, 'recording list')).data.recordings).toHaveLength(1);
    expect((await lobby.json(lobby.owner, 'recording list')).data.recordings).toHaveLength(0);
  });

  it('is in the audit, each time', async () => {
    await record('a');
    await lobby.run(lobby.admin, `recording play ${idOf('a')}`);
    await lobby.run(lobby.owner, `recording export ${idOf('a')}`);
    await lobby.run(lobby.admin, `recording remove ${idOf('a')}`);
    const used = lobby.logged().filter(({ audit }) => audit === 'recording-used');
    expect(used.map(({ account, of, how, recordingId }) => [account, of, how, recordingId])).toEqual([
      ['ada', 'alice', 'played', idOf('a')],
      ['olga', 'alice', 'exported', idOf('a')],
      ['ada', 'alice', 'removed', idOf('a')],
    ]);
  });

  it('export is the file as it is, every line of it whole; play is what may be shown of it', async () => {
    await record('a');
    const exported = await lobby.run(lobby.admin, `recording export ${idOf('a')}`);
    expect(exported.stdout).toContain(String.raw`"hello \u001b]0;x\u0007\u001b[1mworld`);
    expect(
      exported.stdout
        .trimEnd()
        .split('\n')
        .map((line) => typeof JSON.parse(line)),
    ).toEqual(Array(3).fill('object'));
    expect((await lobby.run(lobby.admin, `recording play ${idOf('a')}`)).stdout).toBe('hello world\n');
    const pty = terminal();
    const played = await lobby.run(lobby.admin, `recording play ${idOf('a')}`, { pty });
    expect(played.stdout.startsWith('hello \x1b[1mworld\x1b[m\r\n\x1b[?2026l')).toBe(true);
  });

  it('one that is written still is not removed', async () => {
    const recording = await lobby.services.recordings.open({ ...recordingFacts, id: idOf('a') }, 'on');
    const refused = await lobby.run(lobby.admin, `recording remove ${idOf('a')}`);
    expect([statusOf(refused), refused.stderr]).toEqual([
      1,
      expect.stringContaining('is being written still'),
    ]);
    await recording.finish({});
  });

  it('terminal-escape: what a recorded person typed does not drive the terminal of whoever lists it', async () => {
    await record('a', { command: 'x\x1b]0;pwned\x07\nforged', user: 'a\x1b[2J' });
    for (const line of ['recording list', `recording show ${idOf('a')}`]) {
      expect((await lobby.run(lobby.admin, line)).stdout).not.toMatch(/[\x1b\x07]|^forged/m);
    }
  });
});
