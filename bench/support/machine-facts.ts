/** Where it was measured, and with what. */
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { dockerExec } from '../measures/execs.ts';
import { asyncssh } from '../peers/asyncssh.ts';
import { dropbear } from '../peers/dropbear.ts';
import { go } from '../peers/go.ts';
import { openssh } from '../peers/openssh.ts';
import { postern } from '../peers/postern.ts';
import { tinysshd } from '../peers/tinysshd.ts';
import type { Machine } from '../report/pages.ts';
import { shown } from '../report/table.ts';
import { loopsAtOnce } from './loops-at-once.ts';

export async function machineFacts(): Promise<Machine> {
  const system = /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  const processors = availableParallelism();
  const together = await loopsAtOnce(processors);
  const measured = [postern, openssh, dropbear, tinysshd, asyncssh, go, dockerExec];
  return {
    facts: [
      `${processors} × ${cpus()[0]?.model ?? 'unknown'} (${arch()}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB of memory`,
      `${processors} loops at once do ${shown(together)} × what one does alone: so much, at most, any program gains here by using all processors`,
      `${system}, Linux ${release()}`,
      `load when it began: ${loadavg()[0]?.toFixed(2)}`,
      new Date().toISOString().slice(0, 10),
    ],
    versions: new Map([
      ...measured.map((each) => [each.name, each.version()] as const),
      ['Node.js', process.versions.node] as const,
    ]),
  };
}
