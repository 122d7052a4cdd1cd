/** Everybody, by every key, at every door of the middle: what they ask for, and whether it comes to pass. */
import { PassThrough } from 'node:stream';
import { type Identity, provenIdentity } from '../../src/auth/identity.ts';
import { createCallLine } from '../../src/commands/call-line.ts';
import { GatewayError } from '../../src/errors.ts';
import { hostKey } from '../../src/hosts/hosts.ts';
import { createForwards } from '../../src/sessions/create-forwards.ts';
import { createRunSession } from '../../src/sessions/create-run-session.ts';
import type { PeerConnection } from '../../src/sessions/peer.ts';
import type { SessionHandler, SessionStart } from '../../src/sessions/session.ts';
import type { HostRow } from '../../src/store/schema.ts';
import type { Store } from '../../src/store/store.ts';
import { checkAllowed } from '../../src/targets/check-allowed.ts';
import { type Answer, type Door, type Kind, keyKinds, type Question, standings } from './access-questions.ts';
import { openLobby, type TestLobby } from './lobby.ts';
import { createMemoryStore } from './memory-store.ts';
import { container, identityOf, putAccount, putGrant, putKey } from './people.ts';
import { context, terminal } from './session-io.ts';

const refusedStatus = { exitStatus: 255 } as const;
const web = container('web', { labels: { 'rexec.owner': 'manager' } });
const host = (slug: string, shared: boolean): HostRow => ({
  id: `id-${slug}`,
  name: slug,
  slug,
  hostname: `${slug}.example.com`,
  port: 22,
  username: 'deploy',
  users: ['app'],
  ports: [5432],
  shared,
  createdBy: 'id-manager',
  createdAt: '2026-01-01T00:00:00.000Z',
});
const [prod, open] = [host('prod', false), host('open', true)];

/** `web` is a container, `prod` a host for grantees, `open` a host for all; both hosts let in deploy and app. */
export async function openMatrix() {
  const lobby = await openLobby({ containers: [web], store: createMemoryStore() });
  const asked = await wire(lobby, await populate(lobby.services.store));
  return {
    ask: (question: Question): Promise<Answer> => asked(question).catch(refusal),
    close: lobby.close,
  };
}

/** Somebody's key by itself, and as the outer one of a jump whose inner key is plain. */
interface Identities {
  readonly own: Identity;
  readonly byOuter: Identity;
}

type People = ReadonlyMap<string, Identities>;

async function populate(store: Store): Promise<People> {
  await store.transact(async (transaction) => {
    for (const each of [prod, open]) await transaction.put('hosts', each);
    for (const id of [web.key, hostKey(prod), hostKey(open)])
      await transaction.put('targetTags', { id, tags: ['ci'] });
  });
  const people = new Map<string, Identities>();
  for (const [name, standing] of Object.entries(standings)) {
    const role = standing === 'admin' ? 'admin' : 'member';
    const disabled = name.startsWith('disabled');
    const account = await putAccount(store, name.replace(/[^a-z]+/g, '-'), role, { disabled });
    if (typeof standing === 'object')
      for (const key of [web.key, hostKey(prod)]) await putGrant(store, { key }, account, standing);
    const inner = await putKey(store, account, 'inner');
    for (const [keyName, facts] of Object.entries(keyKinds)) {
      const own = identityOf(account, await putKey(store, account, keyName, facts));
      people.set(`${name}/${keyName}`, { own, byOuter: identityOf(account, inner, own) });
    }
  }
  return people;
}

/** Engines that check what the real ones check, and open nothing. */
function makeStrict({ engine, hostEngine }: Pick<TestLobby, 'engine' | 'hostEngine'>) {
  const wish = { agent: false };
  const openSession =
    (authorization: Parameters<typeof checkAllowed>[0]): SessionHandler =>
    async (request) => {
      checkAllowed(authorization, request);
      if (wish.agent && !authorization.allows.agentForwarding) return refusedStatus;
      const { start } = request;
      return { exitStatus: start.kind === 'exec' && start.command === 'forced' ? 8 : 7 };
    };
  const dial = async () => new PassThrough();
  const listen = async () => ({
    place: { host: '', port: 80 },
    onClose: () => undefined,
    close: () => undefined,
  });
  Object.assign(engine, { openSession, dial, listen });
  Object.assign(hostEngine, { openSession, dial, listen, reach: dial });
  return wish;
}

const io = () => ({
  stdin: new PassThrough().end(),
  stdout: new PassThrough().resume(),
  stderr: new PassThrough().resume(),
  closed: new AbortController().signal,
  onWindowChange: () => undefined,
  onSignal: () => undefined,
});
const traffic = () => ({ bytesIn: 0, bytesOut: 0 });

const connectionOf = (identity: Identity, loginName: string, jumpTarget?: string): PeerConnection => ({
  id: 'connection',
  peer: { kind: 'account', identity },
  loginName,
  source: context.source,
  local: context.local,
  ...(jumpTarget === undefined ? {} : { jumpTarget }),
});

const starts: Readonly<Partial<Record<Kind, SessionStart>>> = {
  shell: { kind: 'shell' },
  sftp: { kind: 'subsystem', name: 'sftp' },
};
const exec = (command: string): SessionStart => ({ kind: 'exec', command });

async function wire(lobby: TestLobby, people: People) {
  const { services, connections, slots, engine, hostEngine, log } = lobby;
  const wish = makeStrict(lobby);
  const wired = {
    ...services,
    ...lobby.recorders,
    connections,
    slots,
    engine,
    hostEngine,
    log,
    targetPrefix: 'rexec-',
  };
  const forwards = createForwards(wired);
  const join = async () => refusedStatus;
  const runSession = createRunSession({ ...wired, lobby: lobby.lobby, maxSessionsPerAccount: 1e9, join });
  const callLine = await createCallLine(services, log);

  async function session(connection: PeerConnection, kind: Kind, start = starts[kind] ?? exec('id')) {
    const pty = kind === 'pty' ? { pty: terminal() } : {};
    return answerOf(await runSession(connection, { start, env: new Map(), ...pty }, io(), traffic));
  }

  async function forward(connection: PeerConnection, identity: Identity, { kind }: Question) {
    const socket = { path: '/run/some.sock' };
    if (kind.startsWith('direct-')) {
      const to = kind === 'direct-tcpip' ? { host: 'localhost', port: 80 } : socket;
      await forwards.openForward(connection, identity, to);
    } else {
      const place = kind === 'tcpip-forward' ? { host: '', port: 80 } : socket;
      (await forwards.openRemoteForward(connection, identity, place, async () => undefined)).close();
    }
    return 'yes' as const;
  }

  const enter = (connection: PeerConnection, identity: Identity, question: Question) =>
    isForward(question) ? forward(connection, identity, question) : session(connection, question.kind);

  async function jump(outer: Identity, inner: Identity, question: Question): Promise<Answer> {
    const reached = await forwards.resolveJump(outer, `rexec-${question.target}`, 22);
    // A host's own server asks for everything else.
    if ('carry' in reached) return 'yes';
    if (!('target' in reached)) return 'no';
    return enter(connectionOf(inner, 'rexec', reached.target), inner, question);
  }

  async function fromLobby(identity: Identity, question: Question): Promise<Answer> {
    const { kind, target: host } = question;
    const connection = connectionOf(identity, 'x');
    if (kind === 'direct-tcpip') {
      const to = { host, port: host === 'web' ? 80 : 5432 };
      const found = await forwards.resolveJump(identity, to.host, to.port);
      if ('isPort' in found) await forwards.openForward(connection, identity, to);
      return 'yes';
    }
    if (isForward(question)) return forward(connection, identity, question);
    return session(
      connection,
      kind,
      kind === 'sftp' ? starts.sftp : exec(`ssh ${host}${kind === 'shell' ? '' : ' id'}`),
    );
  }

  async function call(own: Identity, cmds: readonly string[], { target }: Question): Promise<Answer> {
    const identity = provenIdentity({ ...own, token: { cmds } });
    const line = `ssh ${target} id`;
    const outcome = await callLine({
      line,
      session: { ...context, identity },
      io: io(),
      onCommand: () => {},
    });
    return 'end' in outcome ? answerOf(outcome.end) : 'no';
  }

  const atDoor: Readonly<
    Record<Door, (who: Identities, plain: Identity, question: Question) => Promise<Answer>>
  > = {
    'login name': ({ own }, _plain, question) =>
      enter(connectionOf(own, `rexec-${question.target}`), own, question),
    'login name, as app': ({ own }, _plain, question) =>
      enter(connectionOf(own, `app+${question.target}`), own, question),
    'jump, inner key': ({ own }, plain, question) =>
      jump(plain, provenIdentity({ ...own, outer: plain }), question),
    'jump, outer key': ({ own, byOuter }, _plain, question) => jump(own, byOuter, question),
    lobby: ({ own }, _plain, question) => fromLobby(own, question),
    exec: ({ own }, _plain, question) => call(own, ['ssh'], question),
    'exec without ssh': ({ own }, _plain, question) => call(own, ['ls'], question),
  };

  return async (question: Question): Promise<Answer> => {
    const { standing, key, door, kind } = question;
    wish.agent = kind === 'agent';
    return atDoor[door](get(people, standing, key), get(people, standing, 'plain').own, question);
  };
}

const isForward = ({ kind }: Question) => kind.startsWith('direct-') || kind.endsWith('-forward');

function get(people: People, standing: string, key: string): Identities {
  const found = people.get(`${standing}/${key}`);
  if (!found) throw new Error(`there is no ${standing} with a key ${key}`);
  return found;
}

function answerOf(end: object): Answer {
  const status = 'exitStatus' in end ? end.exitStatus : undefined;
  return status === 7 ? 'yes' : status === 8 ? 'forced' : 'no';
}

/** What the middle throws is a GatewayError; anything else is a fault. */
function refusal(error: unknown): Answer {
  if (error instanceof GatewayError) return 'no';
  throw error;
}
