/** Throughput of one session, by cipher and way. */
import { asyncssh } from '../peers/asyncssh.ts';
import { dropbear } from '../peers/dropbear.ts';
import { go } from '../peers/go.ts';
import { openssh } from '../peers/openssh.ts';
import { ciphers, type RunningPeer, sshArgs } from '../peers/peer.ts';
import { postern } from '../peers/postern.ts';
import { tinysshd } from '../peers/tinysshd.ts';
import type { Table } from '../report/table.ts';
import { openMaster } from '../support/open-master.ts';
import { cpuMsOf } from '../support/process-tree.ts';
import { transfer, type Way } from '../support/transfer.ts';
import { type Bench, byLength, inTurns, type Measure, rowsOf, withRunning } from './measure.ts';

const onThisMachine = [dropbear, tinysshd, asyncssh, go];
/** Those of the bars. */
const judgedCiphers = ['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com'] as const;
/** These take a tenth of the others' speed, and so a tenth of the bytes. */
const slow: readonly string[] = [asyncssh.name, tinysshd.name];

interface Carried {
  /** MiB a second. */
  readonly rate: number;
  /** Milliseconds of processor for each MiB; undefined: not to be told from the login's. */
  readonly cost?: { readonly client: number; readonly server: number };
}

async function openStreams(bench: Bench, peer: RunningPeer, cipher: string) {
  const args = [...sshArgs(peer, cipher), peer.host];
  const mib = byLength(bench, { quick: 4, usual: 256, long: 1024 }) / (slow.includes(peer.name) ? 8 : 1);
  const it = { name: peer.name, cipher };
  if (onThisMachine.some(({ name, oneSession }) => name === peer.name && oneSession)) {
    return {
      ...it,
      stop: async () => {},
      run: async (way: Way) => ({ rate: await transfer(args, way, mib) }),
    };
  }
  const master = await openMaster(args);
  const run = async (way: Way): Promise<Carried> => {
    const taken = () => ({ client: master.cpuMs(), server: peer.cpuMs?.() ?? cpuMsOf(peer.pid) });
    const before = taken();
    const rate = await transfer(master.args, way, mib);
    const after = taken();
    const client = (after.client - before.client) / mib;
    return { rate, cost: { client, server: (after.server - before.server) / mib } };
  };
  return { ...it, stop: master.close, run };
}

interface Stream {
  readonly name: string;
  readonly cipher: string;
  readonly run: (way: Way) => Promise<Carried>;
}

async function measureWay(bench: Bench, streams: readonly Stream[], way: Way): Promise<Table[]> {
  const contenders = streams.map(({ name, cipher, run }) => ({ name, at: cipher, run: () => run(way) }));
  const outcomes = await inTurns(bench, `session ${way}`, contenders);
  const told = outcomes.map(({ results, ...of }) => ({
    ...of,
    results: results.flatMap(({ cost }) => cost ?? []),
  }));
  const ofKnown = told.filter(({ results }) => results.length > 0);
  return [
    {
      id: `session-${way}`,
      title: `One session, ${way}`,
      unit: 'MiB/s',
      better: 'more',
      method:
        'Zeros between `head` and OpenSSH’s client, the login not counted (but for tinysshd, which serves one session). Postern and sshd reach the same container, sshd inside it; the others run on the machine itself.',
      rows: rowsOf(outcomes, ({ rate }) => rate),
    },
    {
      id: `session-${way}-client`,
      title: `One session, ${way}: what the client has room for`,
      unit: 'MiB/s',
      better: 'more',
      method:
        'The same transfers, by the processor time that the client took for them (/proc/PID/schedstat): with this client, and a processor for it alone, no server carries more, however fast it is.',
      rows: rowsOf(ofKnown, ({ client }) => 1000 / client),
    },
    {
      id: `session-${way}-cost`,
      title: `One session, ${way}: processor time of the server`,
      unit: 'ms/MiB',
      better: 'less',
      method:
        'The same transfers: user and system time of all the server’s processes and of the program it runs, in the container too (by its cgroup).',
      rows: rowsOf(ofKnown, ({ server }) => server),
    },
  ];
}

async function measure(bench: Bench, running: readonly RunningPeer[]): Promise<Table[]> {
  const can = new Map([postern, openssh, ...onThisMachine].map((peer) => [peer.name, peer.ciphers]));
  const compared: readonly string[] = byLength<readonly string[]>(bench, {
    quick: judgedCiphers,
    usual: ciphers,
    long: ciphers,
  });
  const starts = compared.flatMap((cipher) =>
    running
      .filter(({ name }) => can.get(name)?.includes(cipher))
      .map((peer) => () => openStreams(bench, peer, cipher)),
  );
  return withRunning(starts, async (streams) => [
    ...(await measureWay(bench, streams, 'down')),
    ...(await measureWay(bench, streams, 'up')),
  ]);
}

async function run(bench: Bench): Promise<Table[]> {
  return withRunning([bench.startBothWays], ([both]) => {
    if (!both) throw new Error('no container');
    const starts = onThisMachine.map((peer) => () => peer.start(bench.key));
    return withRunning(starts, (others) => measure(bench, [both.ours, both.theirs, ...others]));
  });
}

export const streams: Measure = { name: 'streams', run };
