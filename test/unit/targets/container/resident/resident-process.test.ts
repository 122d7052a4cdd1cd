/** What a resident tells of its descriptors is a stranger's word, and the gateway may be root. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  findResidentProcess,
  type ResidentProcess,
} from '../../../../../src/targets/container/resident/resident-process.ts';

const token = 'only-this-one';
/** 3 and 4: both ends of a pipe; 5: a file; 6: a device. */
const script = 'exec 3<<E 5</etc/passwd 6>/dev/null\nx\nE\nexec 4>/proc/self/fd/3; echo ready; read line';

describe('a process that says which of its descriptors are pipes', () => {
  let child: ChildProcess;
  let found: ResidentProcess | undefined;
  beforeAll(async () => {
    child = spawn('sh', ['-c', script, 'sh', token], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    found = findResidentProcess(child.pid as number, token);
  });
  afterAll(() => {
    found?.close();
    child.kill('SIGKILL');
  });

  it('has its pipes opened at their other ends', async () => {
    const ends = found?.openPipes('4,3,3');
    expect(ends).toBeDefined();
    const read = once(ends?.stdout as NodeJS.ReadableStream, 'data');
    expect(String((await read)[0])).toBe('x\n');
    ends?.close();
  });

  it('lent-file: nothing but a pipe is opened, be it a file, a device, or absent', () => {
    for (const told of ['5,3,3', '4,5,3', '4,3,6', '4,3,99', '-,3,6']) {
      expect(found?.openPipes(told)).toBeUndefined();
    }
  });

  it('odd-descriptors: what is no list of three numbers opens nothing', () => {
    for (const told of ['', '3', '3,3', '3,3,3,3', '../3,3,3', '-,-,-', '3,3,3\n', undefined, { 0: 3 }]) {
      expect(found?.openPipes(told)).toBeUndefined();
    }
  });

  it('wrong-number: a process without the token is another one, and so is none', () => {
    expect(findResidentProcess(process.pid, token)).toBeUndefined();
    expect(findResidentProcess(child.pid as number, 'token')).toBeUndefined();
    expect(findResidentProcess(4_194_304, token)).toBeUndefined();
  });

  it('that has ended opens nothing, whoever has its number then', async () => {
    const gone = once(child, 'close');
    child.kill('SIGKILL');
    child.stdout?.destroy();
    await gone;
    expect(found?.openPipes('4,3,3')).toBeUndefined();
    found?.close();
    expect(found?.openPipes('4,3,3')).toBeUndefined();
  });
});
