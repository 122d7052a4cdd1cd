import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openLowdbStore } from '../../../../src/store/lowdb/open-lowdb-store.ts';
import { accountNames, makeDataDir, openStore, putAccount, storeProcess } from './stores.ts';

interface Started {
  readonly child: ChildProcess;
  /** The first line it prints. */
  readonly said: string;
}

async function startProcess(dataDir: string): Promise<Started> {
  const child = spawn(process.execPath, [storeProcess, dataDir, 'hold'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  expect(stderr).toBe('');
  return { child, said: String(line).trim() };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('a second gateway on one folder', () => {
  it('is refused with the pid of the first, until the first is killed', async () => {
    const dataDir = await makeDataDir();
    const first = await startProcess(dataDir);
    expect(first.said).toBe('open');
    const refused = openLowdbStore({ dataDir });
    await expect(refused).rejects.toMatchObject({
      code: 'store-held',
      message: expect.stringContaining(`process ${first.child.pid})`),
    });
    await kill(first.child);
    await putAccount(await openStore({ dataDir }), 'alice');
  });

  it('is refused in another process as well', async () => {
    const dataDir = await makeDataDir();
    await openStore({ dataDir });
    const { said } = await startProcess(dataDir);
    expect(said).toContain('refused');
    expect(said).toContain(`process ${process.pid})`);
  });

  it('is refused in the same process, whatever way leads to the folder, and the first goes on', async () => {
    const dataDir = await makeDataDir();
    const link = join(await makeDataDir(), 'link');
    await symlink(dataDir, link);
    const store = await openStore({ dataDir });
    for (const way of [dataDir, `${dataDir}/`, link]) {
      await expect(openLowdbStore({ dataDir: way })).rejects.toMatchObject({ code: 'store-held' });
    }
    // A refusal must not have let go of the first one's lock.
    expect((await startProcess(dataDir)).said).toContain('refused');
    await putAccount(store, 'alice');
    await store.close();
    expect(await accountNames(await openStore({ dataDir }))).toEqual(['alice']);
  });

  it('never gets in beside another, however many start at once', async () => {
    const dataDir = await makeDataDir();
    for (let round = 0; round < 2; round++) {
      const started = await Promise.all(Array.from({ length: 6 }, () => startProcess(dataDir)));
      expect(started.filter(({ said }) => said === 'open')).toHaveLength(1);
      await Promise.all(started.map(({ child }) => (child.exitCode === null ? kill(child) : undefined)));
    }
  });

  it('is told the host too when the holder runs on another', async () => {
    const dataDir = await makeDataDir();
    await openStore({ dataDir });
    await writeFile(join(dataDir, 'lock.pid'), '7 elsewhere\n');
    await expect(openLowdbStore({ dataDir })).rejects.toThrow('process 7 on elsewhere)');
  });

  it('is let in after a failed open, which holds nothing', async () => {
    const dataDir = await makeDataDir();
    await writeFile(join(dataDir, 'postern.json'), '{');
    await expect(openLowdbStore({ dataDir })).rejects.toMatchObject({ code: 'store-corrupt' });
    await writeFile(join(dataDir, 'postern.json'), '{"schema":1,"sequence":1,"tables":{}}');
    expect((await startProcess(dataDir)).said).toBe('open');
  });

  it('finds no file of the lock that others could read, nor a journal', async () => {
    const dataDir = await makeDataDir();
    await openStore({ dataDir });
    expect((await readdir(dataDir)).sort()).toEqual(['lock.db', 'lock.pid', 'postern.json']);
    expect((await stat(join(dataDir, 'lock.db'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(dataDir, 'lock.pid'), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
  });
});
