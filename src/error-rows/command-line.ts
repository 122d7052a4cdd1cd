/** The command line. */
import { forbidden, row, usage } from './row.ts';

export const commandLineErrors = {
  usage: usage<{ problem: string }>(({ problem }) => problem),
  'unknown-command': row<{ command: string; nearest?: string | undefined; hint?: string | undefined }>(
    2,
    404,
    ({ command, nearest, hint }) =>
      `there is no command "${command}"${nearest ? `; did you mean "${nearest}"?` : '; "help" lists them.'}${hint ? ` ${hint}` : ''}`,
  ),
  'not-allowed': forbidden<{ what: string; who: string }>(({ what, who }) => `${what} is for ${who} only.`),
  'restricted-key': forbidden<{ what: string }>(
    ({ what }) => `the key you used is restricted and may not ${what}; connect with an unrestricted key.`,
  ),
} as const;
