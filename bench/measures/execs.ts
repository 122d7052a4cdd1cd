/** A command in a container: how long it takes, and how many a second. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { packageVersion, type RunningPeer, sshArgs } from '../peers/peer.ts';
import { spreadOf, type Table } from '../report/table.ts';
import { timeExecs } from '../support/go-clients.ts';
import { type Bench, byLength, inTurns, type Measure, rowsOf, withRunning } from './measure.ts';

const run = promisify(execFile);

export const dockerExec = {
  name: 'docker exec',
  version: () => packageVersion('docker.io'),
} as const;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

const latency = (title: string, id: string, method: string) =>
  ({ id, title, unit: 'ms', better: 'less', method }) as const;

async function measure(bench: Bench): Promise<Table[]> {
  const count = byLength(bench, { quick: 2, usual: 20, long: 100 });
  const parallels = byLength(bench, { quick: [1, 2], usual: [1, 4, 16], long: [1, 2, 4, 8, 16, 32] });
  return withRunning([bench.startBothWays], async ([both]) => {
    if (!both) throw new Error('no container');
    const { ours, theirs, gateway, container } = both;
    const docker = () => run('docker', ['exec', container.name, 'true']);
    const ssh = (peer: RunningPeer, command = 'true') => run('ssh', [...sshArgs(peer), peer.host, command]);
    const once = (name: string, work: () => Promise<unknown>) => ({
      name,
      at: 'plain',
      run: () => timed(work),
    });
    const plain = await inTurns(bench, 'exec, plain', [
      once(ours.name, () => ssh(ours)),
      once(theirs.name, () => ssh(theirs)),
      once(dockerExec.name, docker),
      once(`${ours.name}'s lobby (whoami)`, () => ssh(gateway, 'whoami')),
    ]);
    const over =
      (peer: RunningPeer, command = 'true') =>
      async () => {
        const { timesMs } = await timeExecs(peer, { command, parallel: 1, count });
        return spreadOf(timesMs).median;
      };
    const warm = await inTurns(bench, 'exec, warm', [
      { name: ours.name, at: 'warm', run: over(ours) },
      { name: theirs.name, at: 'warm', run: over(theirs) },
      { name: `${ours.name}'s lobby (whoami)`, at: 'warm', run: over(gateway, 'whoami') },
    ]);
    const perSecond = (peer: RunningPeer, parallel: number) => async () => {
      const { timesMs, elapsedMs } = await timeExecs(peer, { command: 'true', parallel, count });
      return (timesMs.length * 1000) / elapsedMs;
    };
    const byDocker = (parallel: number) => async () => {
      const each = Math.ceil(count / 4);
      const one = async () => {
        for (let n = 0; n < each; n++) await docker();
      };
      return (
        (parallel * each * 1000) / (await timed(() => Promise.all(Array.from({ length: parallel }, one))))
      );
    };
    const rate = await inTurns(
      bench,
      'execs a second',
      parallels.flatMap((parallel) => [
        ...[ours, theirs].map((peer) => ({ name: peer.name, at: parallel, run: perSecond(peer, parallel) })),
        { name: dockerExec.name, at: parallel, run: byDocker(parallel) },
      ]),
    );
    const same = 'sshd runs inside the same container.';
    return [
      {
        ...latency(
          'A command, from nothing to its end',
          'exec-plain',
          `\`ssh HOST true\` with OpenSSH's client, and \`docker exec NAME true\`: process start, login, exec. ${same}`,
        ),
        rows: rowsOf(plain, (ms) => ms),
      },
      {
        ...latency(
          'A command over an open connection',
          'exec-warm',
          `A session for each \`true\`, one after the other; the median of each round. ${same}`,
        ),
        rows: rowsOf(warm, (ms) => ms),
      },
      {
        id: 'exec-rate',
        title: 'Commands a second over open connections',
        unit: '/s',
        better: 'more',
        along: 'connections',
        method: `As above, so many connections at once; docker's CLI has none, and is started for each. ${same}`,
        rows: rowsOf(rate, (perSecond) => perSecond),
      },
    ];
  });
}

export const execs: Measure = { name: 'execs', run: measure };
