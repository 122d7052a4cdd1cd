/** What a machine's processors are worth together: virtual ones often share what they run on. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { spreadOf } from '../report/table.ts';

const turns = 7;
const turnMs = 200;

const loop = `
  const { parentPort, workerData } = require('node:worker_threads');
  const block = Buffer.alloc(16 * 1024);
  parentPort.once('message', () => {
    const until = performance.now() + workerData;
    let done = 0;
    while (performance.now() < until) {
      require('node:crypto').createHash('sha256').update(block).digest();
      done++;
    }
    parentPort.postMessage(done);
  });
  parentPort.postMessage('ready');`;

/** Hashes of all loops together. */
async function hashesOf(loops: number): Promise<number> {
  const workers = Array.from({ length: loops }, () => new Worker(loop, { eval: true, workerData: turnMs }));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const counts = workers.map((worker) => once(worker, 'message'));
  for (const worker of workers) worker.postMessage('go');
  return (await Promise.all(counts)).reduce((sum, [count]) => sum + count, 0);
}

/** What so many loops do at once, of what one does alone; the median of turns. */
export async function loopsAtOnce(loops: number): Promise<number> {
  const ratios: number[] = [];
  for (let turn = 0; turn < turns; turn++) ratios.push((await hashesOf(loops)) / (await hashesOf(1)));
  return spreadOf(ratios).median;
}
