/**
 * Measures the gateway side by side with what people would use in its place, prints tables, and writes RESULTS.md with
 * plots. Everything runs in turns on a machine made ready as for the tests; servers come from Debian's packages.
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureDebianPackages } from '../scripts/debian-packages.mjs';
import makeMachineReady from '../test/support/setup/machine.ts';
import { execs } from './measures/execs.ts';
import { far } from './measures/far.ts';
import { files } from './measures/files.ts';
import { forwards } from './measures/forwards.ts';
import { held } from './measures/held.ts';
import { http } from './measures/http.ts';
import { jumps } from './measures/jumps.ts';
import { keyLookup } from './measures/key-lookup.ts';
import { logins } from './measures/logins.ts';
import { manyStreams } from './measures/many-streams.ts';
import type { Length, Measure } from './measures/measure.ts';
import { memory } from './measures/memory.ts';
import { streams } from './measures/streams.ts';
import { shareBothWays, startBothWays } from './peers/container.ts';
import { generateKey, makeFolder } from './peers/peer.ts';
import { judge } from './report/bars.ts';
import { barsText, pageOf, textOf } from './report/pages.ts';
import { plotOf } from './report/plot.ts';
import type { Table } from './report/table.ts';
import { machineFacts } from './support/machine-facts.ts';

const measures = [
  logins,
  execs,
  streams,
  manyStreams,
  forwards,
  jumps,
  files,
  far,
  memory,
  keyLookup,
  http,
  held,
];

const usage = `npm run bench -- [FLAGS]
  --only NAMES   some of ${measures.map(({ name }) => name).join(',')}
  --rounds N     7 unless said (1 with --quick)
  --quick        tiny numbers: whether it runs, not what it says
  --long         more bytes and points, and 10,000 connections held for ten minutes
  --out FOLDER   where RESULTS.md and plots/ go (this folder; with --only, nowhere unless said)
  --single       instead, each benchmark of single/, which have bars of their own`;

/** Programs that are measured, or measured with, beside those of the tests. */
const peers = {
  tinysshd: 'tinysshd',
  '/usr/share/gocode/src/github.com/gliderlabs/ssh': 'golang-github-gliderlabs-ssh-dev',
};

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean' },
    long: { type: 'boolean' },
    out: { type: 'string' },
    single: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

function chosen(): readonly Measure[] {
  if (flags.only === undefined) return measures;
  return flags.only.split(',').map((wanted) => {
    const found = measures.find(({ name }) => name === wanted);
    if (!found) throw new Error(`There is no measure ${wanted}.\n${usage}`);
    return found;
  });
}

function runSingle(): void {
  const folder = join(import.meta.dirname, 'single');
  const failed = globSync('*.ts', { cwd: folder })
    .sort()
    .filter((file) => spawnSync(process.execPath, [join(folder, file)], { stdio: 'inherit' }).status !== 0);
  if (failed.length === 0) return;
  console.error(`failed or over their bar: ${failed.join(', ')}`);
  process.exitCode = 1;
}

/** What is not to be overwritten by a part: the page of a whole run. */
const outFolder = () => flags.out ?? (flags.only || flags.quick ? undefined : import.meta.dirname);

function write(folder: string, tables: readonly Table[], rounds: number): void {
  mkdirSync(join(folder, 'plots'), { recursive: true });
  const plots = new Map(tables.map(({ id }) => [id, `plots/${id}.svg`]));
  for (const table of tables) writeFileSync(join(folder, `plots/${table.id}.svg`), plotOf(table));
  const command = [
    'npm run bench',
    ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : []),
  ].join(' ');
  const page = pageOf({ command, rounds, machine, judged: judge(tables), tables, plots });
  writeFileSync(join(folder, 'RESULTS.md'), page);
}

async function measureAll(): Promise<void> {
  const length: Length = flags.quick ? 'quick' : flags.long ? 'long' : 'usual';
  const rounds = Number(flags.rounds ?? (flags.quick ? 1 : 7));
  const folder = makeFolder('keys');
  const key = join(folder.path, 'id');
  generateKey(key);
  const begun = performance.now();
  const tell = (line: string) =>
    console.error(`[${((performance.now() - begun) / 1000).toFixed(0).padStart(4)} s] ${line}`);
  const shared = shareBothWays();
  const start = length === 'quick' ? shared.start : startBothWays;
  const tables: Table[] = [];
  const out = outFolder();
  try {
    for (const { run } of chosen()) {
      const measured = await run({ rounds, length, key, startBothWays: start, tell });
      for (const table of measured) console.log(textOf(table));
      tables.push(...measured);
      // After each, so that a run that is cut off leaves a page of what it came to.
      if (out) write(out, tables, rounds);
    }
  } finally {
    await shared.stop();
    folder.remove();
  }
  console.log(['\nBars', ...barsText(judge(tables))].join('\n'));
}

if (flags.help) {
  console.log(usage);
  process.exit();
}
ensureDebianPackages(peers, 'the benchmark needs');
const cleanUp = await makeMachineReady();
const machine = await machineFacts();
// What was started ends with this process; containers are removed by whoever comes next.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
try {
  if (flags.single) runSingle();
  else await measureAll();
} finally {
  await cleanUp();
}
