/** The parts of `ssh-config` that are about registered hosts: one block each, and known_hosts lines. Pure. */

/** A registered host, as the one who asks reaches it. */
export interface SshConfigHost {
  readonly slug: string;
  readonly username: string;
  readonly hostname: string;
  readonly port: number;
  readonly way: 'end-to-end' | 'through-the-gateway';
  /** The gateway logs in to it with the person's agent alone. */
  readonly needsAgent: boolean;
  /** `TYPE BASE64`; none: unpinned. */
  readonly hostKeys: readonly string[];
  /**
   * Registered by an admin or by whoever asks. Others could name any address, and put a host key of theirs for it into
   * everybody's known_hosts; and whoever rules a host can use an agent that is lent to it.
   */
  readonly isTrusted: boolean;
}

/** What is the same for every block. */
export interface SshConfigGateway {
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly alias: string;
  readonly targetPrefix: string;
}

/** The lines of a `Host rexec-NAME` block, without IdentityFile. */
export function hostBlockLines(host: SshConfigHost, gateway: SshConfigGateway): readonly string[] {
  return host.way === 'end-to-end' ? jumpLines(host, gateway) : throughLines(host, gateway);
}

/** The gateway looks the name up, so that it is this very host whatever others have the same address. */
const jumpLines = ({ slug, username, port }: SshConfigHost, { alias, targetPrefix }: SshConfigGateway) => [
  `HostName ${targetPrefix}${slug}`,
  `Port ${port}`,
  `User ${username}`,
  `HostKeyAlias ${targetPrefix}${slug}`,
  `ProxyJump ${alias}`,
  'CanonicalizeHostname no',
];

const throughLines = (
  { slug, needsAgent, isTrusted }: SshConfigHost,
  { endpoint, alias, targetPrefix }: SshConfigGateway,
) => [
  `# As another user: ssh USER+${slug}@${alias}`,
  `HostName ${endpoint.host}`,
  `Port ${endpoint.port}`,
  `User ${targetPrefix}${slug}`,
  `HostKeyAlias ${alias}`,
  'ProxyJump none',
  'CanonicalizeHostname no',
  ...(needsAgent && isTrusted ? ['ForwardAgent yes'] : []),
];

/** One line for each pinned key, under the alias of the block and, where it may be, the host's own address. */
export function hostKnownHostsLines(
  { slug, hostname, port, hostKeys, isTrusted }: SshConfigHost,
  { targetPrefix }: Pick<SshConfigGateway, 'targetPrefix'>,
): readonly string[] {
  const address = port === 22 ? hostname : `[${hostname}]:${port}`;
  // ssh looks names up in lower case.
  const names = [`${targetPrefix}${slug}`, ...(isTrusted ? [address.toLowerCase()] : [])].join(',');
  return hostKeys.map((key) => `${names} ${key}`);
}
