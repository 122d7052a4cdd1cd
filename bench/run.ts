/** Runs every benchmark of this folder, one after the other, on a machine made ready as for the tests. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import makeMachineReady from '../test/support/setup/machine.ts';

const cleanUp = await makeMachineReady();
const failed: string[] = [];
for (const file of globSync('*.ts', { cwd: import.meta.dirname }).sort()) {
  if (file === basename(import.meta.filename)) continue;
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, file)], { stdio: 'inherit' });
  if (status !== 0) failed.push(file);
}
await cleanUp();
if (failed.length > 0) {
  console.error(`failed or over their bar: ${failed.join(', ')}`);
  process.exitCode = 1;
}
