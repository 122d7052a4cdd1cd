/** What is kept in the gateway of what a container's programs tell of its files. */
import { PassThrough } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { createHelperChannel } from '../../../../../src/targets/container/sftp/helper-channel.ts';
import { createShellFiles } from '../../../../../src/targets/container/sftp/shell-files.ts';

const entries = 150_000;

/** File operations over a container whose every folder has that many entries. */
function openLargeFolders() {
  const asked = new PassThrough();
  const helper = createHelperChannel(asked);
  asked.on('data', (line: Buffer) => {
    const [id] = line.toString().split(' ');
    const names = ['.', '..', ...Array.from({ length: entries }, (_, n) => `./f${n}`)];
    const records = names.map((name) => `${id} 81a4 1 2 3 4 5 6 ${name}\n`);
    helper.feed(Buffer.from(`noise\n${records.join('')}${id}:0::${id};`));
  });
  return createShellFiles(helper, new Map());
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heapMib = () => {
  collect();
  return process.memoryUsage().heapUsed / 1024 / 1024;
};

it('large-folders: what a client has open of them is kept as it came, not as a hundred thousand objects each', async () => {
  const files = openLargeFolders();
  await (await files.openFolder('/first')).close();
  const before = heapMib();
  const folders = [await files.openFolder('/a'), await files.openFolder('/b')];
  expect(heapMib() - before).toBeLessThan(10);
  const [folder] = folders;
  const told: string[] = [];
  for (let some = await folder!.read(); some.length > 0; some = await folder!.read())
    told.push(...some.map(({ name }) => name));
  expect(told).toHaveLength(entries + 2);
  expect([told[0], told[2], told.at(-1), folder!.heldBytes]).toEqual(['.', 'f0', `f${entries - 1}`, 0]);
  expect(folders[1]!.heldBytes).toBeGreaterThan(entries * 30);
});
