/** The texts of `ssh-config`: an ssh_config(5) snippet, and known_hosts lines (sshd(8)). Pure. */
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import type { Endpoint } from './command.ts';
import { hostBlockLines, hostKnownHostsLines, type SshConfigHost } from './ssh-config-hosts.ts';

export interface SshConfigFacts {
  readonly endpoint: Endpoint;
  /** The gateway's alias, and its HostKeyAlias. */
  readonly alias: string;
  /** Login name for the gateway itself. */
  readonly loginName: string;
  /** `rexec-`. */
  readonly targetPrefix: string;
  readonly identityFile?: string;
  /** Registered hosts within reach. */
  readonly hosts: readonly SshConfigHost[];
}

/**
 * A gateway block, one for each registered host, and the wildcard for containers: any target, also one made tomorrow, with
 * a stock client from OpenSSH 7.3 on.
 */
export function sshConfigText(facts: SshConfigFacts): string {
  const { endpoint, alias, loginName, targetPrefix, identityFile, hosts } = facts;
  // ProxyJump does not hand -i on: each block names the key itself.
  const identity =
    identityFile === undefined ? [] : [`IdentityFile ${quoted(identityFile)}`, 'IdentitiesOnly yes'];
  const gateway = [
    `HostName ${endpoint.host}`,
    `Port ${endpoint.port}`,
    `User ${loginName}`,
    `HostKeyAlias ${alias}`,
  ];
  const targets = [
    `ProxyJump ${alias}`,
    `User ${targetPrefix.slice(0, -1)}`,
    'Port 22',
    `HostKeyAlias ${alias}`,
    'CanonicalizeHostname no',
  ];
  return [
    `# Postern at ${endpoint.host}: "ssh ${alias}" is the lobby, "ssh ${targetPrefix}NAME" a target,`,
    `# "ssh root@${targetPrefix}NAME" the same as another user. Save this file and "Include" it in ~/.ssh/config.`,
    block(alias, [...gateway, ...identity]),
    // ssh takes the first value it finds: what is special stands before the wildcard.
    ...hosts.map((host) =>
      block(`${targetPrefix}${host.slug}`, [...hostBlockLines(host, facts), ...identity]),
    ),
    block(`${targetPrefix}*`, [...targets, ...identity]),
  ].join('\n');
}

const block = (host: string, lines: readonly string[]) =>
  [`Host ${host}`, ...lines.map((line) => `  ${line}`)].join('\n');

const quoted = (path: string) => (path.includes(' ') ? `"${path}"` : path);

/**
 * One line for each host key and each authority of theirs, under the alias and the address people connect to; then the
 * pinned keys of registered hosts.
 */
export function knownHostsText(facts: SshConfigFacts): string {
  const { endpoint, alias, hosts } = facts;
  const { host, port, hostKeys, hostAuthorities = [] } = endpoint;
  const names = `${alias},${port === 22 ? host : `[${host}]:${port}`}`;
  const authorities = hostAuthorities.map((key) => `@cert-authority ${names} ${key}`);
  return [
    ...authorities,
    ...hostKeys.map((key) => `${names} ${key}`),
    ...hosts.flatMap((host) => hostKnownHostsLines(host, facts)),
  ].join('\n');
}

/** Throws `usage` unless `name` can stand in an ssh_config as a host alias, and is none of the targets'. */
export function parseAlias(name: string, targetPrefix: string): string {
  const isAlias = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name);
  if (isAlias && !name.toLowerCase().startsWith(targetPrefix)) return name;
  throw new GatewayError('usage', {
    problem: `--name=${excerpt(name)} cannot be the gateway's alias: use letters, digits, points, hyphens and underscores, and do not begin with "${targetPrefix}".`,
  });
}

/**
 * Throws `usage` for a path that ssh_config would read as something else: quotes, backslashes and control
 * characters end or continue a value, `%` and `$` are expanded.
 */
export function parseIdentityFile(path: string): string {
  if (/^[\p{L}\p{N}_~./@+:,=][\p{L}\p{N}_~./@+:,= -]{0,500}$/u.test(path) && !path.endsWith(' ')) return path;
  throw new GatewayError('usage', {
    problem: `--identity-file=${excerpt(path)} cannot stand in an ssh_config: use a path without quotes, backslashes, "%", "$" and "#", like ~/.ssh/id_ed25519.`,
  });
}
