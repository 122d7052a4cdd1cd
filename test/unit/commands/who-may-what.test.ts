/**
 * Every pair of (who, command or route) that spec lobby and spec routing allow or refuse, in one table.
 * The commands run for real, through the lobby; the routes through what the SSH door calls.
 */
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Identity } from '../../../src/auth/identity.ts';
import { loadCommands, nameOf } from '../../../src/commands/interpreter/load-commands.ts';
import { hostKey } from '../../../src/hosts/hosts.ts';
import type { KeyToAdd } from '../../../src/keys/keys.ts';
import { parseKeysToAdd } from '../../../src/keys/parse-keys-to-add.ts';
import { createRunSession } from '../../../src/sessions/create-run-session.ts';
import { createReachHost } from '../../../src/sessions/reach-host.ts';
import { createResolveJump } from '../../../src/sessions/resolve-jump.ts';
import { type AccountRow, type KeyRow, type TableName, tables } from '../../../src/store/schema.ts';
import { makePublicKey, openLobby, statusOf, type TestLobby } from '../../support/lobby.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { container, identityOf, putAccount, putGrant, putKey } from '../../support/people.ts';
import { recordingFacts } from '../../support/recordings.ts';
import { commandTable, outcomes, routeTable, type Who, who } from '../../support/who-may-what-table.ts';

let lobby: TestLobby;
let people: Record<Who, Identity>;
let inviteId: string;
const recordingId = 'abcdefghijklmnop';

beforeEach(async () => {
  const labels = { 'rexec.owner': 'olga' };
  const web = container('web', { labels });
  const ci = container('ci', { labels });
  const hidden = container('hidden', { labels: { ...labels, 'rexec.enable': 'false' } });
  lobby = await openLobby({ containers: [web, ci, hidden], store: createMemoryStore() });
  const { connections } = lobby;
  const { store, invites } = lobby.services;
  const account = async (name: string, role: 'admin' | 'member' = 'member') => {
    const row = await putAccount(store, name, role);
    await putKey(store, row, 'spare');
    return row;
  };
  const login = async (row: AccountRow, name = 'k', facts: Partial<KeyRow> = {}) =>
    identityOf(row, await putKey(store, row, name, facts));
  const ada = await account('ada', 'admin');
  const olga = await account('olga');
  const gus = await account('gus');
  const ulla = await account('ulla');
  await putGrant(store, web, gus);
  await putGrant(store, web, ulla, { users: ['app', 'www-data'] });
  await store.transact((transaction) => transaction.put('targetTags', { id: ci.key, tags: ['ci'] }));
  const { hosts } = lobby.services;
  const register = async (name: string, by: AccountRow, shared: boolean) => {
    const facts = { name, username: 'root', hostname: 'host.example.com', port: 22, ports: [], shared };
    return (await hosts.add(facts, { accountId: by.id, isAdmin: by.role === 'admin' })).host;
  };
  await putGrant(store, { key: hostKey(await register('lab', olga, false)) }, gus);
  await register('open', ada, true);
  await lobby.services.engines.add({ name: 'lab', url: 'unix:///run/lab.sock', createdBy: ada.id });
  people = {
    admin: await login(ada),
    owner: await login(olga),
    grantee: await login(gus),
    'grantee with users': await login(ulla),
    stranger: await login(await account('sam')),
    'restricted owner': await login(olga, 'narrow', { restrictions: { from: '192.0.2.0/24' } }),
    'tagged owner': await login(olga, 'tagged', { tag: 'ci' }),
    'restricted admin': await login(ada, 'narrow', { expiresAt: '2030-01-01T00:00:00.000Z' }),
  };
  const expiresAt = '2027-01-01T00:00:00.000Z';
  inviteId = (await invites.create({ role: 'member', expiresAt, createdBy: ada.id })).invite.id;
  const [office] = parseKeysToAdd(makePublicKey());
  const { certificateAuthorities } = lobby.services;
  const terms = { name: 'office', principals: ['*'], admins: false, createdBy: ada.id };
  await certificateAuthorities.add({ ...terms, key: (office as KeyToAdd).key });
  await certificateAuthorities.revoke('office', { serial: '2' }, ada.id);
  const recorded = await lobby.services.recordings.open({ ...recordingFacts, id: recordingId }, 'on');
  await recorded.finish({ exitStatus: 0 });
  for (const [name, identity] of Object.entries(people)) {
    connections.addSession({
      id: `of-${name.replaceAll(' ', '-')}`,
      connectionId: 'c',
      identity,
      target: 'lobby',
      what: 'shell',
      openedAt: expiresAt,
      traffic: () => ({ bytesIn: 0, bytesOut: 0 }),
      end: () => undefined,
    });
  }
});

afterEach(() => lobby.close());

async function outcomeOfLine(name: Who, line: string): Promise<string> {
  const typed = line
    .replace('KEY', makePublicKey())
    .replace('INVITE', inviteId)
    .replace('RECORDING', recordingId)
    .replace('OWN', `of-${name.replaceAll(' ', '-')}`);
  const result = await lobby.run(
    people[name],
    line.startsWith('ssh ') ? typed.replace('ssh ', 'ssh --json ') : `${typed} --json`,
  );
  const status = statusOf(result);
  if (status === 0 || (line.startsWith('ssh ') && status === 7)) return 'done';
  return (JSON.parse(result.stdout) as { code: string }).code;
}

async function outcomeOfRoute(name: Who, route: string): Promise<string> {
  const { services, connections, slots, engine, hostEngine, log, lobby: handler } = lobby;
  const refused: string[] = [];
  const audit = {
    ...services.audit,
    refused: (_: unknown, { reason }: { reason: string }) => void refused.push(reason),
  };
  const identity = people[name];
  const reachHost = createReachHost({
    ...services,
    ...lobby.recorders,
    connections,
    hostEngine,
    audit,
    targetPrefix: 'rexec-',
  });
  const jump = createResolveJump({ ...services, audit, reachHost, targetPrefix: 'rexec-' });
  const jumpTo = async () => {
    const found = await jump(identity, 'rexec-web', 22);
    return 'target' in found ? found.target : undefined;
  };
  const jumpUser = /^jump:(.*)/.exec(route)?.[1];
  try {
    const jumpTarget = jumpUser === undefined ? undefined : await jumpTo();
    const runSession = createRunSession({
      ...services,
      ...lobby.recorders,
      connections,
      slots,
      audit,
      engine,
      hostEngine,
      log,
      lobby: handler,
      targetPrefix: 'rexec-',
      maxSessionsPerAccount: 100,
      join: async () => ({ exitStatus: 0 }),
    });
    const address = { address: '192.0.2.7', port: 1 };
    const stdout = new PassThrough();
    const io = {
      stdin: new PassThrough(),
      stdout,
      stderr: new PassThrough(),
      closed: new AbortController().signal,
      onWindowChange: () => undefined,
      onSignal: () => undefined,
    };
    const end = await runSession(
      {
        id: 'c',
        peer: { kind: 'account', identity },
        loginName: jumpUser ?? route,
        source: address,
        local: address,
        ...(jumpTarget === undefined ? {} : { jumpTarget }),
      },
      { start: { kind: 'exec', command: 'id' }, env: new Map() },
      io,
      () => ({ bytesIn: 0, bytesOut: 0 }),
    );
    if ('exitStatus' in end && end.exitStatus === 7) return 'done';
  } catch (error) {
    return (error as { code: string }).code;
  }
  return refused[0] ?? 'nothing';
}

const expectedBy = (letters: string): Record<string, string | undefined> =>
  Object.fromEntries(who.map((name, index) => [name, outcomes[letters[index] as string]]));

describe('who may run which command', () => {
  it.each(commandTable)('%s: %s', async (line, letters) => {
    // Ended by what an earlier person of the row did, a line would fail for another reason: each starts afresh.
    const found: Record<string, string> = {};
    for (const name of who) {
      found[name] = await afresh(() => outcomeOfLine(name, line));
    }
    expect(found).toEqual(expectedBy(letters));
  });

  it('the table has every command there is', async () => {
    const lines = commandTable.map(([line]) => line);
    const missing = (await loadCommands())
      .map(nameOf)
      .filter((name) => !lines.some((line) => `${line} `.startsWith(`${name} `)));
    expect(missing).toEqual([]);
  });
});

describe('who gets where', () => {
  it.each(routeTable)('%s: %s', async (route, letters) => {
    const found: Record<string, string> = {};
    for (const name of who) found[name] = await outcomeOfRoute(name, route);
    expect(found).toEqual(expectedBy(letters));
  });
});

/** Runs with the store as it was before, and puts it back. */
async function afresh<T>(work: () => Promise<T>): Promise<T> {
  const { store } = lobby.services;
  const names = Object.keys(tables) as TableName[];
  const before = await Promise.all(names.map(async (table) => ({ table, rows: await store.list(table) })));
  const result = await work();
  await store.transact(async (transaction) => {
    for (const { table, rows } of before) {
      for (const row of await transaction.list(table)) await transaction.remove(table, row.id);
      for (const row of rows) await transaction.put(table, row);
    }
  });
  return result;
}
