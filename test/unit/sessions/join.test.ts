import { expect, it } from 'vitest';
import { openInvitation } from '../../support/invitation.ts';

it('an empty name at the prompt is asked for again, in words that fit there', async () => {
  const { session, accounts } = await openInvitation();
  await session.saw('[y/N] ');
  session.stdin.write('yes\r');
  await session.saw('be called? ');
  session.stdin.write('  \r');
  await session.saw(/An account needs a name\. Type one[\s\S]*be called\? /);
  session.stdin.write('alice\r');
  expect(await session.end).toEqual({ exitStatus: 0 });
  expect((await accounts.list()).map(({ name }) => name)).toEqual(['alice']);
});

it('nothing but empty names ends it, and makes no account', async () => {
  const { session, accounts } = await openInvitation();
  await session.saw('[y/N] ');
  session.stdin.write('yes\r');
  for (let asked = 1; asked <= 3; asked++) {
    await session.saw(new RegExp(`(be called\\? [^]*){${asked}}`));
    session.stdin.write('\r');
  }
  await expect(session.end).rejects.toMatchObject({ code: 'join-needs-name' });
  expect(await accounts.list()).toEqual([]);
});
