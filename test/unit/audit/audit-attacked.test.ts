import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { auditFolder, currentFile } from '../../../src/audit/audit-files.ts';
import { type AuditLog, openAuditLog } from '../../../src/audit/open-audit-log.ts';
import { searchAudit } from '../../../src/audit/search-audit.ts';
import { verifyAudit } from '../../../src/audit/verify-audit.ts';
import { systemClock } from '../../../src/platform/clock.ts';

const run = promisify(execFile);
const log = pino({ level: 'silent' });

async function newFolder(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'postern-audit-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  return dataDir;
}

const openIn = (dataDir: string, maxFileBytes = 1_000_000) =>
  openAuditLog({ dataDir, log, clock: systemClock, maxFileBytes, keptFiles: 0 });

async function write(audit: AuditLog, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    audit.write('session-started', { account: 'ada', index });
    if (index % 10 === 9) await audit.flush();
  }
  await audit.flush();
}

describe('log-injection', () => {
  it.each([
    ['a line separator', '\u2028'],
    ['a paragraph separator', '\u2029'],
    ['a carriage return', '\r'],
    ['a next line', '\u0085'],
  ])('%s in a command hides nobody from a search, and breaks no chain', async (_name, character) => {
    const dataDir = await newFolder();
    const audit = await openIn(dataDir);
    audit.write('session-started', { account: 'eve', what: `echo ${character} x` });
    audit.write('session-ended', { account: 'eve' });
    await audit.close();
    expect(await verifyAudit(dataDir)).toMatchObject({ lines: 2, breaks: [] });
    const found = await searchAudit(dataDir, { account: 'eve' }, 10);
    expect(found.map(({ event }) => event)).toEqual(['session-started', 'session-ended']);
  });
});

describe('what is missing is seen to be missing', () => {
  it('removed-file: whose removal leaves full files before it, while the gateway writes', async () => {
    const dataDir = await newFolder();
    const audit = await openIn(dataDir, 4_096);
    await write(audit, 60);
    expect((await readdir(auditFolder(dataDir))).length).toBeGreaterThan(1);
    await rm(currentFile(dataDir));
    await write(audit, 1);
    await expect.poll(async () => readFile(currentFile(dataDir), 'utf8').catch(() => '')).not.toBe('');
    await audit.close();
    expect((await verifyAudit(dataDir)).breaks.map(({ file, line }) => [file, line])).toEqual([
      ['audit.jsonl', 1],
    ]);
  });

  it('power-cut: the first line of a file, cut short, is followed by its number and overwrites no full file', async () => {
    const dataDir = await newFolder();
    const before = await openIn(dataDir, 4_096);
    await write(before, 60);
    await before.close();
    const { lastSeq = 0 } = await verifyAudit(dataDir);
    const full = await readdir(auditFolder(dataDir));
    await rename(dataDir, lastSeq);
    await writeFile(currentFile(dataDir), `{"seq":${lastSeq + 1},"time":"2026-`);
    const after = await openIn(dataDir, 1);
    await write(after, 30);
    await after.close();
    expect(await verifyAudit(dataDir)).toMatchObject({ firstSeq: 1, cutShort: 1, breaks: [] });
    expect(await readdir(auditFolder(dataDir))).toEqual(expect.arrayContaining(full));
  });

  it('disk-full: lines cut short one after the other break no chain', async () => {
    const dataDir = await newFolder();
    const before = await openIn(dataDir);
    await write(before, 3);
    await before.close();
    // The line that says so is cut short, too; and once not even its first byte was written behind the newline.
    await appendFile(currentFile(dataDir), '{"seq":4,"ti\n{"seq":4,"time":"20\n');
    const after = await openIn(dataDir);
    await write(after, 3);
    await after.close();
    expect(await verifyAudit(dataDir)).toMatchObject({ cutShort: 2, breaks: [], lastSeq: 7 });
  });
});

/** As if the current file had become full at that moment. */
async function rename(dataDir: string, lastSeq: number): Promise<void> {
  const lines = (await readFile(currentFile(dataDir), 'utf8')).trimEnd().split('\n');
  const first = lastSeq - lines.length + 1;
  const full = join(auditFolder(dataDir), `audit-${String(first).padStart(12, '0')}.jsonl`);
  await writeFile(full, `${lines.join('\n')}\n`);
}

describe('beside a gateway that writes', () => {
  it('a file that becomes full meanwhile is neither missed nor a break', async () => {
    const dataDir = await newFolder();
    const audit = await openIn(dataDir, 2_048);
    await write(audit, 10);
    for (let round = 0; round < 30; round++) {
      let isOver = false;
      // Not without an end: what is read anew in each round grows with it.
      const writing = (async () => {
        for (let turn = 0; turn < 6 && !isOver; turn++) await write(audit, 10);
      })();
      const before = await audit.head();
      const [verdict, found] = await Promise.all([
        verifyAudit(dataDir),
        searchAudit(dataDir, { account: 'ada' }, 1_000_000),
      ]);
      isOver = true;
      expect(verdict).toMatchObject({ firstSeq: 1, breaks: [] });
      expect(verdict.lastSeq).toBeGreaterThanOrEqual(before.seq);
      expect(found.map(({ seq }) => seq)).toEqual(found.map((_, index) => index + 1));
      expect(found.length).toBeGreaterThanOrEqual(before.seq);
      await writing;
    }
    await audit.close();
  });

  it('a line that is being written is no break', async () => {
    const dataDir = await newFolder();
    const audit = await openIn(dataDir);
    await write(audit, 5);
    await appendFile(currentFile(dataDir), '{"seq":6,"time":"2026-');
    expect(await verifyAudit(dataDir)).toMatchObject({ lines: 5, lastSeq: 5, breaks: [] });
    await audit.close();
  });
});

describe('what is lost is a problem, for whoever must not be let in then', () => {
  it('audit-flood: more events at once than may wait', async () => {
    const dataDir = await newFolder();
    const audit = await openIn(dataDir);
    const problems: (string | undefined)[] = [];
    audit.onProblem(() => problems.push(audit.problem()));
    for (let index = 0; index < 20_001; index++) audit.write('command-run', { index });
    expect(audit.problem()).toBeDefined();
    await audit.flush();
    await audit.flush();
    expect(audit.problem()).toBeUndefined();
    await audit.close();
    expect(problems).toHaveLength(2);
    expect(await searchAudit(dataDir, { event: 'events-lost' }, 2)).toMatchObject([{ fields: { count: 1 } }]);
  });

  it('hanging-disk: a write that does not come back', async () => {
    const dataDir = await newFolder();
    await mkdir(auditFolder(dataDir));
    await run('mkfifo', [currentFile(dataDir)]);
    // A pipe takes 64 KiB, and then waits for a reader.
    const reader = await open(currentFile(dataDir), 'r+');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const audit = await openIn(dataDir);
    audit.write('command-run', { text: 'x'.repeat(200_000) });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(audit.problem()).toBe('ETIMEDOUT');
    const closed = audit.close();
    await reader.read(Buffer.alloc(300_000));
    for (let bytes = 65_536; bytes < 200_000; ) bytes += (await reader.read(Buffer.alloc(65_536))).bytesRead;
    await closed;
    await reader.close();
  });
});
