/** Ansible over ten hosts through the gateway. `npm run soak` plays 20 rounds. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runPlay } from '../support/ansible.ts';
import { type HostsBehind, lettingIn, startHostsBehind } from '../support/hosts-behind.ts';
import { sshConfigFile } from '../support/ssh-config-file.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

const rounds = Number(process.env['POSTERN_ANSIBLE_ROUNDS'] ?? 1);

let door: HostsBehind;
let sshd: Sshd;
let config: string;
const names = Array.from({ length: 10 }, (_, n) => `node-${n}`);
beforeAll(async () => {
  door = await startHostsBehind({ config: { domain: 'localhost' } });
  // One server, which is at ten addresses.
  const addresses = names.map((_, n) => `127.0.0.${n + 1}`);
  const lines = [...(await lettingIn(door.identity)), 'Subsystem sftp internal-sftp', 'MaxStartups 100'];
  sshd = await startSshd(lines, { addresses });
  for (const [n, name] of names.entries())
    await door.addHost(name, sshd.port, { hostname: `127.0.0.${n + 1}` });
  config = await sshConfigFile(door);
});
afterAll(async () => {
  await Promise.all([door.stop(), sshd.stop()]);
});

it.each(Array.from({ length: rounds }, (_, round) => round))(
  'pings, copies and runs a command on ten hosts, in round %i, and none fails or hangs',
  async (round) => {
    const folder = await mkdtemp(join(door.folder, 'ansible-'));
    const problem = await runPlay({
      folder,
      sshConfig: config,
      hosts: names.map((name) => `rexec-${name}`),
      keepsConnections: round % 2 === 0,
      pipelines: round % 4 < 2,
      timeoutMs: 120_000,
    });
    expect(problem).toBe('');
  },
  150_000,
);
