/** What somebody with an invite may type where they are asked whether to join. */
import { expect, it, vi } from 'vitest';
import { cpuTimeMs } from '../../support/cpu-time.ts';
import { openInvitation } from '../../support/invitation.ts';

it('Ctrl-Z at the question stops nothing, least of all the gateway', async () => {
  const { session, accounts } = await openInvitation();
  // To be watched, and kept from stopping the tests as well.
  const kill = vi.spyOn(process, 'kill').mockImplementation(() => true);
  await session.saw('[y/N] ');
  session.stdin.write('\x1ayes\r');
  await session.saw('be called? ');
  session.stdin.write('\x1aalice\r');
  expect(await session.end).toEqual({ exitStatus: 0 });
  expect(kill).not.toHaveBeenCalled();
  kill.mockRestore();
  expect((await accounts.list()).map(({ name }) => name)).toEqual(['alice']);
});

it('a line without end keeps the gateway from nobody else, and is dropped', async () => {
  const { session } = await openInvitation();
  await session.saw('[y/N] ');
  let longestMs = 0;
  let sinceMs = cpuTimeMs();
  const watch = setInterval(() => {
    longestMs = Math.max(longestMs, cpuTimeMs() - sinceMs);
    sinceMs = cpuTimeMs();
  }, 1);
  for (let sent = 0; sent < 8; sent++) session.stdin.write('y'.repeat(32 * 1024));
  await session.saw('longer than 64 KiB');
  session.stdin.write('\rno\r');
  expect(await session.end).toEqual({ exitStatus: 1 });
  clearInterval(watch);
  expect(longestMs).toBeLessThan(1_000);
});

it.each([
  ['Ctrl-C', '\x03'],
  ['Ctrl-D', '\x04'],
])('%s leaves, and nothing has been changed', async (_name, typed) => {
  const { session, accounts } = await openInvitation();
  await session.saw('[y/N] ');
  session.stdin.write(typed);
  expect(await session.end).toEqual({ exitStatus: 130 });
  expect(await accounts.list()).toEqual([]);
});
