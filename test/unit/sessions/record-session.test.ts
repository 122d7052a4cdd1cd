/** The recorder round a session: what passes, what is kept, and what becomes of a session without a recording. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAudit } from '../../../src/audit/audit.ts';
import type { Authorization } from '../../../src/auth/authorization.ts';
import { aborted } from '../../../src/platform/aborted.ts';
import { type Recording, RecordingImpossible, type Recordings } from '../../../src/recordings/recordings.ts';
import { createRecordSession } from '../../../src/sessions/record-session.ts';
import type { SessionHandler } from '../../../src/sessions/session.ts';
import { container } from '../../support/people.ts';
import { type Cast, openOwnRecordings, parseCast } from '../../support/recordings.ts';
import { context, identity, runSession, startSession, terminal } from '../../support/session-io.ts';

let dataDir: string;
let recordings: Recordings;
let audited: string[];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'postern-record-'));
  const limits = { maxFileBytes: 100e6, maxBytes: 0, keptMs: 0 };
  const log = pino({ level: 'silent' });
  recordings = openOwnRecordings({ dataDir, log, clock: { now: () => Date.now() }, limits });
  audited = [];
});
afterEach(async () => {
  await recordings.close();
  await rm(dataDir, { recursive: true });
});

const sessionId = 'abcdefghijklmnop';

function recorded(
  mode: 'on' | 'required' | undefined,
  handler: SessionHandler,
  { input = false, open = recordings.open }: { input?: boolean; open?: Recordings['open'] } = {},
): SessionHandler {
  const authorization = { target: container('web'), identity, recording: mode } as Authorization;
  const record = createRecordSession({
    recordings: { open },
    audit: createAudit((event, { reason }) => void audited.push(reason ? `${event}: ${reason}` : event)),
    log: pino({ level: 'silent' }),
    rules: { input, maxExecBytes: 1_000_000 },
  });
  const wrapped = record(authorization, handler);
  return (request, io) => wrapped(request, io, { ...context, sessionId });
}

async function cast(): Promise<Cast> {
  const chunks: Buffer[] = [];
  for await (const chunk of await recordings.read(sessionId)) chunks.push(chunk);
  return parseCast(Buffer.concat(chunks).toString());
}

/** Copies stdin to stdout, and says something on stderr. */
const echo: SessionHandler = async (_request, io) => {
  io.stderr.write('begun\n');
  for await (const chunk of io.stdin)
    if (!io.stdout.write(chunk)) await new Promise((go) => io.stdout.once('drain', go));
  return { exitStatus: 5 };
};

describe('a recorded session', () => {
  it('is the very handler where nothing is to be recorded', async () => {
    const authorization = { target: container('web'), identity } as Authorization;
    const record = createRecordSession({} as never);
    expect(record(authorization, echo)).toBe(echo);
  });

  it.each(['on', 'required'] as const)('passes every byte on, in order, and the end: %s', async (mode) => {
    const bytes = randomBytes(5_000_000);
    const chunks: Buffer[] = [];
    const stdout = new Writable({
      highWaterMark: 1_000,
      write: (chunk: Buffer, _encoding, done) => {
        chunks.push(chunk);
        setImmediate(done);
      },
    });
    const { end, stderr } = await runSession(recorded(mode, echo), 'cat', { stdin: bytes, stdout });
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    expect([end, stderr]).toEqual([{ exitStatus: 5 }, 'begun\n']);
    expect((await cast()).ours).toEqual([{ end: { exitStatus: 5 } }]);
    expect(audited).toEqual(['recording-started']);
  });

  it('has what is typed only where that is asked for', async () => {
    const pty = terminal(90, 20);
    await runSession(recorded('on', echo), { kind: 'shell' }, { pty, stdin: 'secret' });
    expect(await cast()).toMatchObject({ header: { width: 90, height: 20, command: 'shell' } });
    expect((await cast()).events.map(([, code]) => code)).not.toContain('i');
    await recordings.remove(sessionId);
    await runSession(recorded('on', echo, { input: true }), { kind: 'shell' }, { pty, stdin: 'typed' });
    expect((await cast()).events).toContainEqual([expect.any(Number), 'i', 'typed']);
  });

  it('has the sizes of its terminal as they change', async () => {
    const running = startSession(
      recorded('on', (request, io, session) => {
        io.onWindowChange(() => {});
        return echo(request, io, session);
      }),
      { kind: 'shell' },
      { pty: terminal() },
    );
    await expect.poll(() => running.stderr().toString()).toBe('begun\n');
    running.resize(120, 40);
    running.stdin.end();
    await running.end;
    expect((await cast()).events.map(([, code, text]) => [code, text])).toContainEqual(['r', '120x40']);
  });

  it('ends with a client that is gone, and one that reads nothing', async () => {
    const stuck = new Writable({ highWaterMark: 1, write: () => {} });
    const handler: SessionHandler = async (_request, io) => {
      io.stdout.write(Buffer.alloc(1_000_000));
      await aborted(io.closed);
      return { exitSignal: 'HUP', message: 'gone' };
    };
    const running = startSession(recorded('required', handler), 'x', { stdout: stuck });
    await expect.poll(() => stuck.writableLength).toBeGreaterThan(0);
    running.vanish();
    expect(await running.end).toEqual({ exitSignal: 'HUP', message: 'gone' });
  });

  it('masks secrets of its command line, and keeps how it failed', async () => {
    const failing: SessionHandler = async () => {
      throw new Error('a bug');
    };
    await expect(runSession(recorded('on', failing), 'deploy exe1.abcdefgh')).rejects.toThrow('a bug');
    expect((await cast()).header).toMatchObject({ command: 'deploy exe1.***' });
    expect((await cast()).ours).toEqual([{ end: { failure: 'internal' } }]);
  });
});

/** Opens recordings that keep nothing, and fail as they are told to. */
const opening =
  (failing: Partial<Pick<Recording, 'failed' | 'finish'>>): Recordings['open'] =>
  async ({ id }, mode) => ({
    ...{ id, mode, write: () => undefined },
    ...{ failed: new AbortController().signal, finish: async () => {}, ...failing },
  });

describe('a session whose recording fails', () => {
  const impossible: Recordings['open'] = async () => {
    throw new RecordingImpossible('the disk is full');
  };

  it('goes on where it need not be recorded, and never begins where it must', async () => {
    let began = 0;
    const counted: SessionHandler = (request, io, session) => {
      began++;
      return echo(request, io, session);
    };
    const on = await runSession(recorded('on', counted, { open: impossible }), 'cat', { stdin: 'all' });
    expect([on.end, on.stdout, began]).toEqual([{ exitStatus: 5 }, 'all', 1]);
    await expect(
      runSession(recorded('required', counted, { open: impossible }), 'cat'),
    ).rejects.toMatchObject({
      code: 'recording-impossible',
      exitStatus: 254,
    });
    expect(began).toBe(1);
    expect(audited).toEqual(['recording-failed: the disk is full', 'recording-failed: the disk is full']);
  });

  it.each(['on', 'required'] as const)('in the middle: %s', async (mode) => {
    const failing = new AbortController();
    const open = opening({ failed: failing.signal });
    const running = startSession(
      recorded(
        mode,
        async (request, io, session) => {
          await Promise.race([echo(request, io, session), aborted(io.closed)]);
          return { exitStatus: 7 };
        },
        { open },
      ),
      'cat',
    );
    await expect.poll(() => running.stderr().toString()).toBe('begun\n');
    failing.abort('the disk is full');
    if (mode === 'on') running.stdin.end();
    if (mode === 'on') expect(await running.end).toEqual({ exitStatus: 7 });
    else await expect(running.end).rejects.toMatchObject({ code: 'recording-lost', exitStatus: 254 });
    expect(audited).toEqual(['recording-started', 'recording-failed: the disk is full']);
  });

  it('slow-disk: nobody waits for ever, at the beginning or at the end', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const never = () => new Promise<never>(() => {});
    const run = async (mode: 'on' | 'required', open: Recordings['open']) => {
      const running = runSession(recorded(mode, echo, { open }), 'cat', { stdin: 'x' });
      const came = running.then(
        ({ end }) => end,
        (error) => error.code,
      );
      for (let n = 0; n < 4; n++) {
        await vi.advanceTimersByTimeAsync(10_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return came;
    };
    expect(await run('on', never)).toEqual({ exitStatus: 5 });
    expect(await run('required', never)).toBe('recording-impossible');
    const open = opening({ finish: never });
    expect(await run('on', open)).toEqual({ exitStatus: 5 });
    expect(await run('required', open)).toBe('recording-lost');
    vi.useRealTimers();
  });

  it('at its very end, where it must be recorded', async () => {
    const failing = new AbortController();
    const finish = async () => failing.abort('the disk is full');
    const open = opening({ failed: failing.signal, finish });
    await expect(runSession(recorded('required', echo, { open }), 'cat')).rejects.toMatchObject({
      code: 'recording-lost',
    });
  });
});
