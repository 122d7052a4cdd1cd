/** The Rexec dialect of a gateway under test, and a token for all of it. */
import { type DialectApi, startDialect } from './dialect-api.ts';

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

export type RexecApi = DialectApi & {
  /** As `call`: status and JSON. */
  readonly told: (...asked: Parameters<DialectApi['call']>) => Promise<[number, unknown]>;
};

export async function startRexec({
  config,
}: {
  readonly config?: Record<string, unknown>;
} = {}): Promise<RexecApi> {
  const api = await startDialect({
    folder: '/api/ssh',
    commands: rexecCommands,
    config: { tokenRateBurst: 1000, ...config },
  });
  return {
    ...api,
    told: async (...asked) => {
      const { status, json } = await api.call(...asked);
      return [status, json()];
    },
  };
}
