/** What `/openapi.json` says of `POST /exec`. */

import { maxBodyBytes } from '../commands/failure-answer.ts';

const errorBody = {
  type: 'object',
  required: ['error', 'code'],
  properties: {
    error: { type: 'string', description: 'one sentence: what is wrong and what to do' },
    code: { type: 'string' },
  },
};

const errors: Readonly<Record<number, string>> = {
  400: 'empty body, unbalanced quotes, bad flag or value',
  401: 'no token, or none that is valid now',
  403: 'the token or its account does not allow it',
  404: 'no such command',
  413: `the body has more than ${maxBodyBytes} bytes`,
  422: 'the command ran and failed',
  429: 'too many requests with tokens of this key; see Retry-After',
  500: 'a fault of the gateway; the sentence holds the number to look for in its log',
  504: 'the command took too long and was ended',
};

export const execSchema = {
  summary: 'Run a command of the lobby',
  description:
    'The body is the command line, as it is typed after `ssh GATEWAY`; the answer is what the command prints with --json. `ssh TARGET CMD…` streams stdout and stderr of the program, mixed as they come, with its exit status in the trailer X-Exe-Exit (a header too when it is known before the first byte), or with `Accept: application/json` answers `stdout`, `stderr`, `exit_status` and `exit_signal`.',
  security: [{ token: [] }],
  consumes: ['text/plain'],
  body: { description: 'the command line, such as `ssh-key list`' },
  response: {
    200: {
      description: "the command's answer",
      content: {
        'application/json': { schema: {} },
        'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
      },
    },
    ...Object.fromEntries(
      Object.entries(errors).map(([status, description]) => [status, { description, ...errorBody }]),
    ),
  },
};
