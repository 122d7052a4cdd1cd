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
import { transfer, type Way } from '../support/transfer.ts';
import { type Bench, byLength, inTurns, type Measure, rowsOf, withRunning } from './measure.ts';

const onThisMachine = [dropbear, tinysshd, asyncssh, go];
/** Those of the bars. */
const judgedCiphers = ['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com'] as const;
/** These take a tenth of the others' speed, and so a tenth of the bytes. */
const slow: readonly string[] = [asyncssh.name, tinysshd.name];

/** MiB a second, and what the client's processor time alone would have allowed. */
interface Carried {
  readonly rate: number;
  /** Undefined: not to be told from the login's. */
  readonly ceiling: number | undefined;
}

async function openStreams(bench: Bench, peer: RunningPeer, cipher: string) {
  const args = [...sshArgs(peer, cipher), peer.host];
  const oneSession = onThisMachine.some(({ name, oneSession }) => name === peer.name && oneSession);
  const master = oneSession ? undefined : await openMaster(args);
  const mib = byLength(bench, { quick: 4, usual: 256, long: 1024 }) / (slow.includes(peer.name) ? 8 : 1);
  const run = async (way: Way): Promise<Carried> => {
    const before = master?.cpuMs() ?? 0;
    const rate = await transfer(master?.args ?? args, way, mib);
    return { rate, ceiling: master && (mib * 1000) / (master.cpuMs() - before) };
  };
  return { name: peer.name, cipher, stop: async () => master?.close(), run };
}

type Streams = Awaited<ReturnType<typeof openStreams>>;

async function measureWay(bench: Bench, streams: readonly Streams[], way: Way): Promise<Table[]> {
  const contenders = streams.map(({ name, cipher, run }) => ({ name, at: cipher, run: () => run(way) }));
  const outcomes = await inTurns(bench, `session ${way}`, contenders);
  const ofKnown = outcomes.filter(({ results }) => results.every(({ ceiling }) => ceiling !== undefined));
  const units = { unit: 'MiB/s', better: 'more' } as const;
  return [
    {
      ...units,
      id: `session-${way}`,
      title: `One session, ${way}`,
      method:
        'Zeros between `head` and OpenSSH’s client, the login not counted (but for tinysshd, which serves one session). Postern and sshd reach the same container, sshd inside it; the others run on the machine itself.',
      rows: rowsOf(outcomes, ({ rate }) => rate),
    },
    {
      ...units,
      id: `session-${way}-client`,
      title: `One session, ${way}: what the client has room for`,
      method:
        'The same transfers: MiB for each second of processor time that the client took (/proc/PID/schedstat). With this client no server can carry more, however fast it is.',
      rows: rowsOf(ofKnown, ({ ceiling }) => ceiling as number),
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
