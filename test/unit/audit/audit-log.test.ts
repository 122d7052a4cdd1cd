import {
  appendFile,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { currentFile } from '../../../src/audit/audit-files.ts';
import { openAuditLog } from '../../../src/audit/open-audit-log.ts';
import { searchAudit } from '../../../src/audit/search-audit.ts';
import { verifyAudit } from '../../../src/audit/verify-audit.ts';
import { systemClock } from '../../../src/platform/clock.ts';

const newFolder = () => mkdtemp(join(tmpdir(), 'postern-audit-'));
const log = pino({ level: 'silent' });

const openIn = (dataDir: string, { maxFileBytes = 1_000_000, keptFiles = 0, clock = systemClock } = {}) =>
  openAuditLog({ dataDir, log, clock, maxFileBytes, keptFiles });

async function writeEvents(dataDir: string, count: number, options = {}): Promise<void> {
  const audit = await openIn(dataDir, options);
  for (let index = 0; index < count; index++) {
    audit.write('session-started', { account: index % 2 ? 'ada' : 'bob', target: 'web', index });
    // One by one, so that files fill and rotate between them.
    if (index % 10 === 9) await audit.flush();
  }
  await audit.close();
}

/** The folder's verdict after `damage` was done to its lines. */
async function damaged(damage: (lines: string[]) => string[]) {
  const dataDir = await newFolder();
  await writeEvents(dataDir, 10);
  const lines = (await readFile(currentFile(dataDir), 'utf8')).trimEnd().split('\n');
  await writeFile(currentFile(dataDir), `${damage(lines).join('\n')}\n`);
  return verifyAudit(dataDir);
}

describe('the audit on disk', () => {
  it('is a whole chain, over several openings, private to its owner', async () => {
    const dataDir = await newFolder();
    await writeEvents(dataDir, 25);
    await writeEvents(dataDir, 25);
    const verdict = await verifyAudit(dataDir);
    expect(verdict).toMatchObject({ lines: 50, firstSeq: 1, lastSeq: 50, breaks: [], cutShort: 0 });
    expect((await stat(currentFile(dataDir))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDir, 'audit'))).mode & 0o777).toBe(0o700);
  });

  it('what comes while it is written gathers for the next turn', async () => {
    const probe = await open('/dev/null');
    const synced = vi.spyOn(Object.getPrototypeOf(probe) as typeof probe, 'datasync');
    onTestFinished(() => synced.mockRestore());
    await probe.close();
    const audit = await openIn(await newFolder());
    const began = performance.now();
    for (let each = 0; each < 200; each++) {
      audit.write('session-started', { each });
      await pause(1);
    }
    const turns = synced.mock.calls.length;
    // Turns begin 20 ms apart at least; timers may fire a little early.
    expect(turns).toBeLessThan((performance.now() - began) / 18 + 1);
    await audit.close();
  });

  it('a flush brings all that was written before it to the disk, whatever is under way', async () => {
    const audit = await openIn(await newFolder());
    for (let each = 1; each <= 300; each++) {
      audit.write('session-started', { each });
      if (each % 3 === 0) await pause(each % 25);
      else for (let turn = 0; turn < each % 7; turn++) await new Promise(setImmediate);
      const flushed = audit.flush();
      audit.write('session-ended', { each });
      await flushed;
      expect((await audit.head()).seq).toBeGreaterThanOrEqual(2 * each - 1);
    }
    await audit.close();
  });

  it('rotates by size, and stays one chain; only so many full files are kept', async () => {
    const dataDir = await newFolder();
    await writeEvents(dataDir, 400, { maxFileBytes: 4_096 });
    expect((await readdir(join(dataDir, 'audit'))).length).toBeGreaterThan(5);
    expect(await verifyAudit(dataDir)).toMatchObject({ lines: 400, firstSeq: 1, lastSeq: 400, breaks: [] });
    await writeEvents(dataDir, 100, { maxFileBytes: 4_096, keptFiles: 2 });
    expect((await readdir(join(dataDir, 'audit'))).length).toBe(3);
    const verdict = await verifyAudit(dataDir);
    expect(verdict).toMatchObject({ lastSeq: 500, breaks: [] });
    expect(verdict.firstSeq).toBeGreaterThan(1);
  });

  it('goes on after a full file when the current one is missing', async () => {
    const dataDir = await newFolder();
    await writeEvents(dataDir, 40, { maxFileBytes: 4_096 });
    await truncate(currentFile(dataDir), 0);
    const { lastSeq } = await verifyAudit(dataDir);
    await writeEvents(dataDir, 1);
    expect(await verifyAudit(dataDir)).toMatchObject({ lastSeq: (lastSeq ?? 0) + 1, breaks: [] });
  });

  it('goes on after a line that a crash cut short, and says so', async () => {
    const dataDir = await newFolder();
    await writeEvents(dataDir, 5);
    await appendFile(currentFile(dataDir), '{"seq":6,"time":"2026-');
    await writeEvents(dataDir, 5);
    expect(await verifyAudit(dataDir)).toMatchObject({ breaks: [], cutShort: 1, lastSeq: 11 });
  });

  it('full-disk: who was closed while it could not write leaves the file to whoever comes after', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const dataDir = await newFolder();
    const before = await openIn(dataDir);
    await rm(join(dataDir, 'audit'), { recursive: true });
    await writeFile(join(dataDir, 'audit'), 'no folder');
    const problems: (string | undefined)[] = [];
    before.onProblem(() => problems.push(before.problem()));
    before.write('session-started', {});
    await before.flush();
    expect(problems).toEqual([expect.stringMatching(/^E/)]);
    await before.close();
    await rm(join(dataDir, 'audit'));
    await (await openIn(dataDir)).close();
    // What a successor is writing at the moment.
    await writeFile(currentFile(dataDir), '{"seq":1,"time":"2026-');
    await vi.advanceTimersByTimeAsync(5_000);
    vi.useRealTimers();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await readFile(currentFile(dataDir), 'utf8')).toBe('{"seq":1,"time":"2026-');
  });

  it('changed-line: one letter changed breaks the chain at the next line', async () => {
    const verdict = await damaged((lines) =>
      lines.map((line, at) => (at === 3 ? line.replace('ada', 'eve') : line)),
    );
    expect(verdict.breaks).toEqual([
      { file: 'audit.jsonl', line: 5, problem: 'it does not follow the line before' },
    ]);
  });

  it.each([
    ['removed-line', (lines: string[]) => lines.toSpliced(4, 1)],
    ['added-line', (lines: string[]) => lines.toSpliced(4, 0, lines[4] as string)],
    ['swapped-lines', (lines: string[]) => lines.toSpliced(4, 2, lines[5] as string, lines[4] as string)],
    ['unreadable-line', (lines: string[]) => lines.with(4, 'nothing of the kind')],
    ['unreadable-end', (lines: string[]) => lines.with(9, '{}')],
  ])('%s: breaks the chain', async (_name, damage) => {
    expect((await damaged(damage)).breaks.length).toBeGreaterThan(0);
  });

  it('cut-off-end: shows when the last hash was noted before', async () => {
    const dataDir = await newFolder();
    await writeEvents(dataDir, 10);
    const { lastHash } = await verifyAudit(dataDir);
    await writeEvents(dataDir, 5);
    expect((await verifyAudit(dataDir, lastHash)).expectedFound).toBe(true);
    const lines = (await readFile(currentFile(dataDir), 'utf8')).split('\n');
    await writeFile(currentFile(dataDir), `${lines.slice(0, 8).join('\n')}\n`);
    const verdict = await verifyAudit(dataDir, lastHash);
    expect(verdict).toMatchObject({ breaks: [], expectedFound: false });
  });

  it('log-injection: a newline in a field makes no line', async () => {
    const dataDir = await newFolder();
    const audit = await openIn(dataDir);
    audit.write('login-refused', { reason: 'x\n{"seq":2,"event":"login-accepted"}' });
    await audit.close();
    expect(await verifyAudit(dataDir)).toMatchObject({ lines: 1, breaks: [] });
  });

  it('a search gives the newest that match, oldest first, through all files', async () => {
    const dataDir = await newFolder();
    await writeEvents(dataDir, 300, { maxFileBytes: 4_096 });
    const found = await searchAudit(dataDir, { account: 'ada', event: 'session-started' }, 100);
    expect(found.length).toBe(100);
    expect(found.map(({ fields }) => fields['index'])).toEqual(
      Array.from({ length: 100 }, (_, index) => 101 + index * 2),
    );
    expect(await searchAudit(dataDir, { target: 'other' }, 100)).toEqual([]);
    expect(await searchAudit(dataDir, { since: '2999-01-01T00:00:00.000Z' }, 100)).toEqual([]);
  });
});
