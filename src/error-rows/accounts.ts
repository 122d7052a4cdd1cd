/** Accounts and invites. */
import { failed, row, usage } from './row.ts';

export const accountsErrors = {
  'account-not-found': row<{ account: string }>(1, 404, ({ account }) => `there is no account "${account}".`),
  'account-name-taken': row<{ name: string }>(
    1,
    409,
    ({ name }) => `the name "${name}" is taken or reserved; choose another.`,
  ),
  'invite-name-taken': row<{ name: string }>(
    1,
    409,
    ({ name }) => `the name "${name}", which this invite fixes, is taken by now; ask for another invite.`,
  ),
  'email-taken': row(1, 409, () => 'another account has this email; each has its own.'),
  'invalid-account-name': usage<{ name: string }>(
    ({ name }) =>
      `"${name}" cannot be an account name: use a lower-case letter, then up to 31 lower-case letters, digits and hyphens.`,
  ),
  'last-admin': failed(() => 'this is the last admin who can log in; make another account an admin first.'),
  'invalid-invite': failed(
    () => 'this invite is not valid: it was used, has expired or never existed. Ask for a new one.',
  ),
  'already-member': failed<{ account: string }>(
    ({ account }) => `this key already belongs to account "${account}"; log in without an invite.`,
  ),
  'invite-not-found': row<{ invite: string }>(
    1,
    404,
    ({ invite }) => `there is no open invite ${invite}; "invite list" shows them.`,
  ),
  'name-unchecked': row<{ name: string }>(
    1,
    503,
    ({ name }) =>
      `whether the name "${name}" is free cannot be told while the Docker Engine does not answer; try again later, or ask for an invite that fixes your name.`,
  ),
  'join-needs-name': usage(
    () => 'this invite fixes no name: give one as the command, like "ssh join+CODE@gateway alice".',
  ),
} as const;
