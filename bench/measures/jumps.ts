/** `ssh -J`: one stream through the gateway, and through OpenSSH's sshd, to the same sshd behind. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openssh, startOpenssh } from '../peers/openssh.ts';
import { type RunningPeer, sshArgs } from '../peers/peer.ts';
import { postern, type RunningGateway, startPostern } from '../peers/postern.ts';
import type { Table } from '../report/table.ts';
import { openMaster } from '../support/open-master.ts';
import { transfer, type Way } from '../support/transfer.ts';
import { type Bench, byLength, inTurns, type Measure, rowsOf, withRunning } from './measure.ts';

const measured = ['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com'] as const;

/** As an operator would: its address is one of the gateway's from then on. */
function register({ folder, key, ...gateway }: RunningGateway, host: RunningPeer): void {
  const identities = join(folder, 'data/identities');
  mkdirSync(identities, { recursive: true });
  copyFileSync(key, join(identities, 'behind'));
  chmodSync(join(identities, 'behind'), 0o600);
  const line = `host add behind root@127.0.0.1:${host.port} --identity-file=behind`;
  execFileSync('ssh', [...sshArgs({ ...gateway, key, user: 'admin' }), '127.0.0.1', line], { stdio: 'pipe' });
}

/** ProxyCommand with -W is what -J makes of itself; here it carries the hop's key and cipher. */
async function openJump(hop: RunningPeer, host: RunningPeer, cipher: string) {
  const proxy = ['ssh', ...sshArgs(hop, cipher), '-W', '%h:%p', hop.host].join(' ');
  const master = await openMaster([...sshArgs(host, cipher), '-o', `ProxyCommand=${proxy}`, host.host]);
  return { cipher, stop: master.close, run: (way: Way, mib: number) => transfer(master.args, way, mib) };
}

async function run(bench: Bench): Promise<Table[]> {
  const mib = byLength(bench, { quick: 4, usual: 256, long: 1024 });
  const start = () => startOpenssh(bench.key, `${bench.key}.pub`);
  return withRunning([start, start], ([host, bastion]) =>
    withRunning([() => startPostern(bench.key)], async ([gateway]) => {
      if (!host || !bastion || !gateway) throw new Error('not all have started');
      register(gateway, host);
      const hops = [
        { name: postern.name, hop: gateway as RunningPeer },
        { name: openssh.name, hop: bastion as RunningPeer },
      ];
      const each = measured.flatMap((cipher) => hops.map((from) => ({ ...from, cipher })));
      const starts = each.map(({ name, hop, cipher }) => async () => ({
        name,
        ...(await openJump(hop, host, cipher)),
      }));
      return withRunning(starts, async (jumps) => {
        const tables: Table[] = [];
        for (const way of ['down', 'up'] as const) {
          const contenders = jumps.map(({ name, cipher, run }) => ({
            name,
            at: cipher,
            run: () => run(way, mib),
          }));
          tables.push({
            id: `jump-${way}`,
            title: `One session by ssh -J, ${way}`,
            unit: 'MiB/s',
            better: 'more',
            method:
              'To the same sshd behind either. Five processes take part: head, its sshd, the hop, and two ssh. The hop carries bytes that are encrypted already, and encrypts them once more.',
            rows: rowsOf(await inTurns(bench, `-J ${way}`, contenders), (rate) => rate),
          });
        }
        return tables;
      });
    }),
  );
}

export const jumps: Measure = { name: 'jumps', run };
