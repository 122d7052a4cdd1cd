/** The second factor. */
import { failed, forbidden, row } from './row.ts';

export const secondFactorErrors = {
  'second-factor-missing': row(
    255,
    403,
    () =>
      'your account must have a second factor before it can do anything else: set one up with "ssh GATEWAY mfa enroll".',
  ),
  'second-factor-unproven': row<{ what: string }>(
    255,
    403,
    ({ what }) =>
      `${what} needs your second factor, which this connection has not shown: give a code with "mfa verify CODE" at the lobby's prompt, or log in anew.`,
  ),
  'second-factor-target': row<{ target: string }>(
    255,
    403,
    ({ target }) =>
      `${target} asks for a second factor and you have none: set one up with "ssh GATEWAY mfa enroll", then log in anew.`,
  ),
  'second-factor-first': forbidden<{ target: string }>(
    ({ target }) =>
      `${target} would be closed to you, too, for you have no second factor: set one up with "ssh GATEWAY mfa enroll", log in anew, and then ask for it.`,
  ),
  'second-factor-enrolled': failed(
    () => 'you have a second factor already; "mfa disable CODE" takes it away, so that you can enroll again.',
  ),
  'no-enrolment': failed(() => 'there is nothing to confirm; begin with "mfa enroll".'),
  'no-second-factor': failed(() => 'this account has no second factor; "mfa enroll" sets one up.'),
  'wrong-code': forbidden(
    () => 'this code is wrong, or was used already; each is good once: wait for the next one.',
  ),
  'codes-locked': forbidden<{ lockedUntil: string }>(
    ({ lockedUntil }) =>
      `too many wrong codes: none is taken until ${lockedUntil.slice(0, 16).replace('T', ' ')} UTC; wait, or ask an admin for "mfa reset".`,
  ),
} as const;
