/** Requests over HTTP. */
import { failed, forbidden, row } from './row.ts';

export const httpErrors = {
  // One text for every cause a stranger could probe.
  unauthorized: row(
    1,
    401,
    () =>
      'this needs a token that is valid now; send "Authorization: Bearer TOKEN" with one from "ssh GATEWAY ssh-key generate-api-key".',
  ),
  'token-unproven': forbidden(
    () =>
      'this account has a second factor, and a token that a key alone has signed does not show it; turn it into an exe1 token with "ssh GATEWAY exe0-to-exe1".',
  ),
  'container-unauthorized': row<{ name: string }>(
    1,
    401,
    ({ name }) =>
      `this needs a token for ${name} that is valid now; "ssh GATEWAY ssh-key generate-api-key --vm=${name}" makes one. Send it as "Authorization: Bearer TOKEN", or as the password.`,
  ),
  'token-elsewhere': forbidden<{ name: string }>(
    ({ name }) =>
      `this token is for another container; "ssh GATEWAY ssh-key generate-api-key --vm=${name}" makes one for ${name}.`,
  ),
  // Whether there is such a container or not, and no word of what else the account reaches.
  'container-refused': forbidden<{ name: string }>(
    ({ name }) =>
      `the account and the key behind this token may not use ${name} now; ask who manages it to share it.`,
  ),
  'rate-limited': row<{ seconds: number }>(
    1,
    429,
    ({ seconds }) => `too many requests with tokens of this key; try again in ${seconds} s.`,
  ),
  penalised: row<{ seconds: number }>(
    1,
    429,
    ({ seconds }) => `too many attempts from this address failed; try again in ${seconds} s.`,
  ),
  'body-too-large': row<{ limit: number }>(
    1,
    413,
    ({ limit }) => `the body may have ${limit} bytes; this one is longer.`,
  ),
  'malformed-request': row<{ problem: string }>(1, 400, ({ problem }) => problem),
  'method-not-allowed': row<{ allow: string }>(1, 405, ({ allow }) => `this takes ${allow} only.`),
  'no-such-page': row(1, 404, () => 'there is nothing here; /openapi.json says what there is.'),
  'timed-out': row<{ seconds: number }>(
    255,
    504,
    ({ seconds }) => `this took longer than ${seconds} s and was ended.`,
  ),
  'output-too-large': failed<{ limit: number }>(
    ({ limit }) =>
      `the program wrote more than ${limit} bytes, or the programs of your account together four times that, which is too much for JSON, and was ended; leave out "Accept: application/json" to have it streamed.`,
  ),
  'session-ended': forbidden<{ reason: string }>(({ reason }) => reason),
} as const;
