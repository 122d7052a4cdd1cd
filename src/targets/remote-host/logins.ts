import type { HostLogin, OpenAgent } from '../host-connection.ts';
import type { HostTarget } from '../target.ts';

export interface LoginSources {
  readonly readIdentityFile: (path: string) => Promise<Buffer>;
  readonly readEgressKey: () => Promise<Buffer>;
}

/** In the order in which they are tried: the host's identity file, the person's agent, the gateway's own key. */
export function loginsFor(
  { gatewayKeys: { identityFile, egressKey } }: HostTarget,
  agent: OpenAgent | undefined,
  { readIdentityFile, readEgressKey }: LoginSources,
): readonly HostLogin[] {
  const logins: HostLogin[] = [];
  if (identityFile !== undefined) {
    const readPrivateKey = () => readIdentityFile(identityFile);
    logins.push({ kind: 'key', name: 'its identity file', readPrivateKey });
  }
  if (agent) logins.push({ kind: 'agent', name: 'your agent', open: agent });
  if (egressKey)
    logins.push({ kind: 'key', name: "the gateway's egress key", readPrivateKey: readEgressKey });
  return logins;
}
