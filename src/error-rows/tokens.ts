/** Tokens. */
import { failed, forbidden, row } from './row.ts';

export const tokensErrors = {
  'invalid-token': row<{ reason?: string | undefined }>(
    1,
    401,
    ({ reason }) =>
      `this token is not valid here${reason === undefined ? '' : `: ${reason}`}; make a new one with "ssh-key generate-api-key", or sign one with a key that is registered.`,
  ),
  // Literally what programs look for, as the public page prints it.
  'token-not-allowed': forbidden(() => 'command not allowed by token permissions'),
  'token-passes': forbidden<{ what: string }>(
    ({ what }) =>
      `what ${what} does would outlast this token; run it over ssh, or with a token that never expires.`,
  ),
  'token-exceeds': forbidden<{ what: string }>(
    ({ what }) => `a token cannot make one that is more powerful than itself: ${what}.`,
  ),
  'too-many-tokens': failed<{ limit: number }>(
    ({ limit }) => `this key has ${limit} exe1 tokens; remove the key to end them all, or use another one.`,
  ),
} as const;
