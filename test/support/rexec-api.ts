/** The Rexec dialect of a gateway under test, and a token for all of it. */

import type { TestGatewayOptions } from './gateway.ts';
import { type Api, type ApiAnswer, startApi } from './http-api.ts';

/** What a token must name, for every route. */
export const rexecCommands = [
  'ssh-key list',
  'ssh-key add',
  'ssh-key remove',
  'host list',
  'host add',
  'host remove',
  'connect',
  'sshd status',
  'sshd sync',
  'sshd install',
].join();

export type RexecApi = Api & {
  /** The admin's. */
  readonly token: string;
  /** `path` is below /api/ssh; a body that is no text is sent as JSON. */
  readonly call: (method: string, path: string, body?: unknown, as?: string) => Promise<ApiAnswer>;
  /** The same: status and JSON. */
  readonly told: (method: string, path: string, body?: unknown, as?: string) => Promise<[number, unknown]>;
};

export async function startRexec({ config }: TestGatewayOptions = {}): Promise<RexecApi> {
  const api = await startApi({ config: { tokenRatePerSecond: 1000, tokenRateBurst: 1000, ...config } });
  const token = await api.apiKey(`--cmds="${rexecCommands}"`);
  const call: RexecApi['call'] = (method, path, body, as = token) =>
    api.ask({
      token: as,
      path: `/api/ssh${path}`,
      args: ['-X', method, '-H', 'Content-Type: application/json'],
      ...(body === undefined ? {} : { line: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return {
    ...api,
    token,
    call,
    told: async (...asked) => {
      const { status, json } = await call(...asked);
      return [status, json()];
    },
  };
}
