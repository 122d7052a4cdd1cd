/** Names nobody can choose for themselves: they are, or look like, the gateway's own or an authority's. */
const reservedNames: ReadonlySet<string> = new Set([
  'admin',
  'administrator',
  'all',
  'anonymous',
  'anyone',
  'api',
  'daemon',
  'everybody',
  'everyone',
  'exec',
  'gateway',
  'git',
  'guest',
  'help',
  'host',
  'join',
  'lobby',
  'localhost',
  'me',
  'nobody',
  'none',
  'null',
  'operator',
  'owner',
  'postern',
  'public',
  'rexec',
  'root',
  'scp',
  'security',
  'self',
  'staff',
  'sftp',
  'ssh',
  'sshd',
  'support',
  'sysadmin',
  'system',
  'undefined',
  'user',
  'www',
]);

/** Login names that begin so lead elsewhere, or name something else. */
const reservedBeginnings = ['admin-', 'join-', 'postern-', 'rexec-', 'root-'];

export function isReservedName(name: string): boolean {
  return reservedNames.has(name) || reservedBeginnings.some((beginning) => name.startsWith(beginning));
}
