/**
 * The table behind GatewayError. Exit statuses: 1 the command ran and failed, 2 usage,
 * 254 a recording is required and cannot be made, 255 the gateway failed before or around the program. A sentence says what is wrong and what to do;
 * values put into it are escaped where they are printed (platform/printable.ts), not here.
 */
import { accountsErrors } from './error-rows/accounts.ts';
import { certificateAuthoritiesErrors } from './error-rows/certificate-authorities.ts';
import { commandLineErrors } from './error-rows/command-line.ts';
import { containerSshdErrors } from './error-rows/container-sshd.ts';
import { enginesErrors } from './error-rows/engines.ts';
import { hostSessionsErrors } from './error-rows/host-sessions.ts';
import { hostsErrors } from './error-rows/hosts.ts';
import { httpErrors } from './error-rows/http.ts';
import { keysErrors } from './error-rows/keys.ts';
import { processesErrors } from './error-rows/processes.ts';
import { recordingsErrors } from './error-rows/recordings.ts';
import { secondFactorErrors } from './error-rows/second-factor.ts';
import { sessionsAndStoreErrors } from './error-rows/sessions-and-store.ts';
import { targetsErrors } from './error-rows/targets.ts';
import { tokensErrors } from './error-rows/tokens.ts';

export const errorTable = {
  ...commandLineErrors,
  ...keysErrors,
  ...accountsErrors,
  ...certificateAuthoritiesErrors,
  ...secondFactorErrors,
  ...tokensErrors,
  ...httpErrors,
  ...targetsErrors,
  ...enginesErrors,
  ...hostsErrors,
  ...hostSessionsErrors,
  ...containerSshdErrors,
  ...recordingsErrors,
  ...processesErrors,
  ...sessionsAndStoreErrors,
} as const;

export type ErrorCode = keyof typeof errorTable;
export type ErrorParams<Code extends ErrorCode> = Parameters<(typeof errorTable)[Code]['sentence']>[0];
