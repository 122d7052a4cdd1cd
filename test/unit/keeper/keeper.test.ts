/** The keeper over supervisors that hold no gateway: who is in charge when, and what becomes of whoever connects. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHeldSockets } from '../../../src/keeper/held-sockets.ts';
import { Keeper } from '../../../src/keeper/keeper.ts';
import type { Behaviour } from '../../support/pretend-supervisor.ts';

const program = new URL('../../support/pretend-supervisor.ts', import.meta.url).pathname;
let folder: string;
let keeper: Keeper | undefined;
let warnings: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-keeper-'));
  warnings = [];
});
afterEach(async () => {
  keeper?.signal('SIGTERM');
  await keeper?.ended;
  rmSync(folder, { recursive: true, force: true });
});

interface Line {
  readonly generation: number;
  readonly heard?: string;
  readonly listens?: number;
  readonly [key: string]: unknown;
}

const lines = (): Line[] => {
  try {
    const text = readFileSync(join(folder, 'diary'), 'utf8');
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]));
  } catch {
    return [];
  }
};
const heard = (generation: number, kind: string) =>
  lines().find((line) => line.generation === generation && line.heard === kind);
const until = (holds: () => unknown) => vi.waitUntil(holds, { timeout: 15_000, interval: 10 });

function keep(
  behaviours: Record<number, Behaviour>,
  times: ConstructorParameters<typeof Keeper>[0]['times'] = {},
) {
  keeper = new Keeper({
    program: { file: process.execPath, args: [program] },
    args: [JSON.stringify(behaviours)],
    env: { ...process.env, DIARY: join(folder, 'diary') },
    sockets: createHeldSockets(new Map()),
    warn: (sentence) => void warnings.push(sentence),
    times,
  });
  return keeper;
}

const listensAt = async (generation: number) => {
  await until(() => lines().some((line) => line.generation === generation && line.listens !== undefined));
  return lines().find((line) => line.generation === generation && line.listens !== undefined)
    ?.listens as number;
};

/** Which generation serves whoever connects. */
const whoServes = (port: number) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('data', (chunk) => resolve(chunk.toString().trim()));
    socket.on('error', reject);
  });

describe('a start', () => {
  it('that fails is the end of the keeper, with the status of whoever failed', async () => {
    expect(await keep({ 1: { ends: 2 } }).ended).toBe(2);
  });

  it('of a program that is not there is one, too', async () => {
    const missing = { file: join(folder, 'nothing'), args: [] };
    const sockets = createHeldSockets(new Map());
    const ended = new Keeper({ program: missing, args: [], env: {}, sockets, warn: () => {} }).ended;
    expect(await ended).toBe(127);
  });

  it('ends in order at SIGTERM, with the status of the supervisor', async () => {
    const kept = keep({});
    await until(() => heard(1, 'begin'));
    kept.signal('SIGTERM');
    expect(await kept.ended).toBe(3);
  });
});

describe('a crash', () => {
  it('of a supervisor is followed by another on the same socket, and who connected meanwhile is served', async () => {
    keep({ 1: { listens: true, crashes: true }, 2: { listens: true } });
    const port = await listensAt(1);
    await until(() => warnings.length > 0);
    expect(await whoServes(port)).toBe('2');
    expect(heard(2, 'begin')).toMatchObject({ why: 'crash', sockets: [{ name: 'ssh', at: 'here' }] });
    expect(warnings[0]).toContain('the supervisor ended with status 9');
  });

  it('endless-start: one that follows and is never in charge is ended, and followed by another', async () => {
    const slow = { neverReady: true };
    keep({ 1: { listens: true, crashes: true }, 2: slow, 3: { listens: true } }, { followMs: 3_000 });
    const port = await listensAt(1);
    await until(() => heard(3, 'begin'));
    expect(await whoServes(port)).toBe('3');
    expect(warnings[1]).toBe('a supervisor was not in charge in time, and was ended.');
  });

  it('again and again is met with patience, and SIGTERM ends it at any time', async () => {
    const crashes = { crashes: true };
    const kept = keep({ 1: crashes, 2: crashes, 3: crashes, 4: crashes }, { firstBackoffMs: 60_000 });
    await until(() => warnings.length === 2);
    expect(lines().filter(({ heard: kind }) => kind === 'begin')).toHaveLength(2);
    kept.signal('SIGTERM');
    expect(await kept.ended).toBe(0);
  });
});

describe('a restart', () => {
  it('lets the new one prepare, then the old one hand over, and never closes the socket', async () => {
    const kept = keep({ 1: { listens: true }, 2: { listens: true } });
    const port = await listensAt(1);
    expect(await whoServes(port)).toBe('1');
    kept.signal('SIGHUP');
    await until(() => heard(1, 'retired'));
    expect(await whoServes(port)).toBe('2');
    const order = lines().flatMap(({ generation, heard: kind }) => (kind ? [`${generation} ${kind}`] : []));
    expect(order).toEqual(['1 begin', '1 signal', '2 begin', '1 hand-over', '2 take-over', '1 retired']);
    expect(heard(2, 'take-over')).toMatchObject({ memory: { of: 1 } });
  });

  it('that the new one refuses leaves the old one in charge, which is told why', async () => {
    const kept = keep({ 1: { listens: true }, 2: { refuses: 'the file has a mistake.' } });
    const port = await listensAt(1);
    kept.signal('SIGHUP');
    await until(() => heard(1, 'restart-refused'));
    expect(heard(1, 'restart-refused')).toMatchObject({ problem: 'the file has a mistake.' });
    expect(await whoServes(port)).toBe('1');
  });

  it('stop-while-handing-over: a SIGTERM in the middle of it is for whoever follows', async () => {
    const kept = keep({ 1: { handsOverMs: 1_000 }, 2: {} });
    await until(() => heard(1, 'begin'));
    kept.signal('SIGHUP');
    await until(() => heard(1, 'hand-over'));
    kept.signal('SIGTERM');
    expect(await kept.ended).toBe(3);
    expect(heard(1, 'signal')).toMatchObject({ signal: 'SIGHUP' });
    expect(heard(2, 'signal')).toMatchObject({ signal: 'SIGTERM' });
  });

  it('restored-meanwhile: a restore while the new one prepares ends that, and leaves room for another restart', async () => {
    const kept = keep({ 1: { isRestored: true }, 2: { preparesMs: 1_000 } });
    await until(() => heard(1, 'begin'));
    kept.signal('SIGHUP');
    await until(() => heard(3, 'begin'));
    expect(heard(3, 'begin')).toMatchObject({ why: 'again' });
    kept.signal('SIGHUP');
    await until(() => heard(3, 'restart-refused') ?? heard(3, 'retired'));
    expect(heard(3, 'restart-refused')).toBeUndefined();
    expect(heard(2, 'take-over')).toBeUndefined();
  });

  it('broken-new-code: one whose new program dies at once, or hangs, leaves the old one in charge', async () => {
    const kept = keep({ 1: { listens: true }, 2: { ends: 1 }, 3: { hangs: true } }, { prepareMs: 4_000 });
    const port = await listensAt(1);
    kept.signal('SIGHUP');
    await until(() => heard(1, 'restart-refused'));
    kept.signal('SIGHUP');
    await until(() => lines().filter(({ heard: kind }) => kind === 'restart-refused').length === 2);
    expect(warnings).toEqual(['a new supervisor was not prepared in time, and was ended.']);
    expect(await whoServes(port)).toBe('1');
  });
});
