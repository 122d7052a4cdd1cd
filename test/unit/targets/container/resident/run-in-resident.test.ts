/** What a resident says is a stranger's word: whoever is root in the container may speak in its place. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { ContainerFacts } from '../../../../../src/targets/container/container-facts.ts';
import { launchOf, terminalSize } from '../../../../../src/targets/container/launch.ts';
import type { Resident } from '../../../../../src/targets/container/resident/create-residents.ts';
import { runInResident } from '../../../../../src/targets/container/resident/run-in-resident.ts';
import type { SessionPlan } from '../../../../../src/targets/container/session-plan.ts';
import {
  type InsideConnection,
  InsideLost,
  InsideRefusal,
} from '../../../../../src/targets/container/sidecar/inside-connection.ts';

const user = { engineUser: 'app', uid: 1000, group: 1000, name: 'app', home: '/', shell: '/bin/sh' };
const plan: SessionPlan = {
  launch: launchOf({ shell: '/bin/sh', program: ['id'], folders: ['/', '/'], pty: undefined }),
  ...{ env: [], user, files: 'program', tty: false, size: undefined, sizeOf: terminalSize },
  ...{ bareFolder: '/', signalShell: '/bin/sh' },
};
const frame = (text: string) =>
  Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)]);

/** A session through a resident that says that. */
function begin(says: {
  readonly pid?: string;
  readonly output?: readonly Buffer[];
  readonly exit?: string;
  readonly refusal?: Error;
  readonly isSilent?: boolean;
}) {
  const begun: unknown[] = [];
  const retired: number[] = [];
  const asked: string[] = [];
  const stream = new PassThrough();
  for (const each of says.output ?? []) stream.write(each);
  stream.end();
  const inside: InsideConnection = {
    asked: 0,
    load: 0,
    isOpen: true,
    isWorn: false,
    answers: async () => !says.isSilent,
    ask: async (path) => {
      asked.push(path);
      if (says.refusal) throw says.refusal;
      const headers = says.pid === undefined ? {} : { 'x-pid': says.pid };
      const trailers = () => (says.exit === undefined ? undefined : { 'x-exit': says.exit });
      return { stream, headers, trailers, cancel: () => void stream.destroy() };
    },
    onClose: () => {},
    close: () => {},
  };
  const facts = { id: 'id', name: 'web', env: [] } as unknown as ContainerFacts;
  const parts = {
    facts: { findEnding: async () => undefined },
    endings: { follow: () => () => {} },
    hangups: {
      graceMs: 1,
      begin: (leader: Promise<unknown>) => void begun.push(leader),
      close: async () => {},
    },
    residents: { retire: (_resident: Resident, again: number) => void retired.push(again) },
  } as unknown as Parameters<typeof runInResident>[0];
  const stdout = new PassThrough();
  const io = {
    ...{ stdin: new PassThrough(), stdout, stderr: new PassThrough() },
    ...{ onWindowChange: () => {}, onSignal: () => {} },
    closed: new AbortController().signal,
  };
  const end = runInResident(
    parts,
    { inside, startsPrograms: true, openFiles: '1024', facts },
    plan,
    io,
    io.closed,
  );
  return { end, stdout, begun, retired, asked };
}

describe('a resident’s word', () => {
  it('output and status, as they are', async () => {
    const { end, stdout } = begin({ pid: '7', output: [frame('hi\n')], exit: '3' });
    expect(await end).toEqual({ exitStatus: 3 });
    expect(stdout.read()?.toString()).toBe('hi\n');
  });

  it.each(['', '256', '-1', '1e2', '0x1', ' 1', '99999999', '{}', '1\r\nx'])(
    'made-up-status: %j is none, and the session is lost',
    async (exit) => {
      await expect(begin({ pid: '7', exit }).end).rejects.toMatchObject({ code: 'program-lost' });
    },
  );

  it('garbage-output: what is no framing ends the session', async () => {
    const { end } = begin({ pid: '7', output: [Buffer.from('HTTP/1.1 200 OK\r\n\r\n')], exit: '0' });
    await expect(end).rejects.toMatchObject({ code: 'program-lost' });
  });

  it.each(['0', '1', '-1', '99999999', 'x'])('made-up-pid: nothing is signalled for %j', async (pid) => {
    const { end, begun } = begin({ pid });
    await expect(end).rejects.toMatchObject({ code: 'program-lost' });
    expect(begun).toEqual([]);
  });

  it('one that is lost in the middle leaves its program to be ended in the other way', async () => {
    const { end, begun } = begin({ pid: '7' });
    await expect(end).rejects.toMatchObject({ code: 'program-lost' });
    expect(await begun[0]).toMatchObject({ pid: 7, engineUser: 'app' });
  });

  it('one that is silent is not asked, and not used for a while', async () => {
    const { end, asked, retired } = begin({ isSilent: true });
    expect([await end, asked, retired]).toEqual([undefined, [], [60_000]]);
  });

  it('one that says no is left for the plain way; one that cannot start the program stays', async () => {
    const changed = begin({ refusal: new InsideRefusal('ESTALE') });
    expect([await changed.end, changed.retired]).toEqual([undefined, [0]]);
    const full = begin({ refusal: new InsideRefusal('EAGAIN') });
    expect([await full.end, full.retired]).toEqual([undefined, []]);
  });

  it('never-twice: what may have been started is not started again', async () => {
    for (const refusal of [new InsideLost('gone'), new InsideRefusal('ETIMEDOUT')]) {
      await expect(begin({ refusal }).end).rejects.toMatchObject({ code: 'program-lost' });
    }
  });

  it('one that pongs and never answers loses one session, not each that follows', async () => {
    const { end, retired } = begin({ refusal: new InsideRefusal('ETIMEDOUT') });
    await expect(end).rejects.toMatchObject({ code: 'program-lost' });
    expect(retired).toEqual([60_000]);
  });
});
