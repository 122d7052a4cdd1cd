/**
 * The table behind GatewayError. Exit statuses: 1 the command ran and failed, 2 usage,
 * 255 the gateway failed before or around the program. A sentence says what is wrong and what to do;
 * values put into it are escaped where they are printed (platform/printable.ts), not here.
 */
interface Row<Params> {
  readonly sentence: (params: Params) => string;
  readonly exitStatus: number;
  readonly httpStatus: number;
}

const row = <Params = Record<string, never>>(
  exitStatus: number,
  httpStatus: number,
  sentence: (params: Params) => string,
): Row<Params> => ({ sentence, exitStatus, httpStatus });

const failed = <P = Record<string, never>>(sentence: (params: P) => string) => row(1, 422, sentence);
const usage = <P = Record<string, never>>(sentence: (params: P) => string) => row(2, 400, sentence);
const forbidden = <P = Record<string, never>>(sentence: (params: P) => string) => row(1, 403, sentence);
const session = <P = Record<string, never>>(sentence: (params: P) => string) => row(255, 422, sentence);

export const errorTable = {
  // The command line.
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

  // Keys.
  'invalid-key': usage<{ problem: string }>(({ problem }) => problem),
  'private-key': usage(
    () =>
      'that is the private key. Nothing of it was stored; send the .pub file instead, and treat this key as exposed: make a new one with "ssh-keygen -t ed25519".',
  ),
  'duplicate-key': row<{ existing: string }>(
    1,
    409,
    ({ existing }) => `this key is already registered, as "${existing}".`,
  ),
  'foreign-key': row(
    1,
    409,
    () => 'this key is already registered with another account; use a different key.',
  ),
  'readded-key': failed(
    () => 'this key was removed before, perhaps because it was lost. Repeat with --yes if you want it back.',
  ),
  'key-not-found': row<{ key: string }>(
    1,
    404,
    ({ key }) => `no key of yours matches "${key}"; "ssh-key list" shows them.`,
  ),
  'key-name-taken': row<{ name: string }>(
    1,
    409,
    ({ name }) => `another key of yours is named "${name}"; choose another name.`,
  ),
  'too-many-keys': failed<{ limit: number }>(
    ({ limit }) => `an account may hold ${limit} keys; remove one with "ssh-key remove" first.`,
  ),
  'last-key': failed(
    () =>
      'this is the last key of the account: without it nobody can log in to it. Repeat with --yes to remove it all the same.',
  ),
  'current-key': failed(
    () =>
      'this is the key you are connected with; removing it ends this connection. Repeat with --yes to do it.',
  ),

  // Accounts and invites.
  'account-not-found': row<{ account: string }>(1, 404, ({ account }) => `there is no account "${account}".`),
  'account-name-taken': row<{ name: string }>(
    1,
    409,
    ({ name }) => `the name "${name}" is taken or reserved; choose another.`,
  ),
  'invalid-account-name': usage<{ name: string }>(
    ({ name }) =>
      `"${name}" cannot be an account name: use a lower-case letter, then up to 31 lower-case letters, digits and hyphens.`,
  ),
  'last-admin': failed(() => 'this is the last admin who can log in; make another account an admin first.'),
  'invalid-invite': failed(
    () => 'this invite is not valid: it was used, has expired or never existed. Ask for a new one.',
  ),
  'already-member': failed<{ account: string }>(
    ({ account }) => `this key already belongs to account "${account}"; log in without an invite.`,
  ),
  'invite-not-found': row<{ invite: string }>(
    1,
    404,
    ({ invite }) => `there is no open invite "${invite}"; "invite list" shows them.`,
  ),
  'join-needs-name': usage(
    () => 'this invite fixes no name: give one as the command, like "ssh join+CODE@gateway alice".',
  ),

  // Certificate authorities.
  'invalid-ca': usage<{ problem: string }>(({ problem }) => problem),
  'ca-taken': row<{ ca: string }>(
    1,
    409,
    ({ ca }) => `the authority "${ca}" has this name or this key already; "ca show ${ca}" shows it.`,
  ),
  'ca-not-found': row<{ ca: string }>(
    1,
    404,
    ({ ca }) => `there is no authority "${ca}"; "ca list" shows them.`,
  ),
  'revocation-not-found': row<{ ca: string }>(
    1,
    404,
    ({ ca }) => `nothing of the kind is revoked; "ca show ${ca}" shows what is.`,
  ),

  // The second factor.
  'second-factor-missing': row(
    255,
    403,
    () =>
      'your account must have a second factor before it can do anything else: set one up with "ssh GATEWAY mfa enroll".',
  ),
  'second-factor-unproven': row<{ what: string }>(
    255,
    403,
    ({ what }) =>
      `${what} needs your second factor, which this connection has not shown: give a code with "mfa verify CODE" at the lobby's prompt, or log in anew.`,
  ),
  'second-factor-target': row<{ target: string }>(
    255,
    403,
    ({ target }) =>
      `${target} asks for a second factor and you have none: set one up with "ssh GATEWAY mfa enroll", then log in anew.`,
  ),
  'second-factor-enrolled': failed(
    () => 'you have a second factor already; "mfa disable CODE" takes it away, so that you can enroll again.',
  ),
  'no-enrolment': failed(() => 'there is nothing to confirm; begin with "mfa enroll".'),
  'no-second-factor': failed(() => 'this account has no second factor; "mfa enroll" sets one up.'),
  'wrong-code': forbidden(
    () => 'this code is wrong, or was used already; each is good once: wait for the next one.',
  ),
  'codes-locked': forbidden<{ lockedUntil: string }>(
    ({ lockedUntil }) =>
      `too many wrong codes: none is taken until ${lockedUntil.slice(0, 16).replace('T', ' ')} UTC; wait, or ask an admin for "mfa reset".`,
  ),

  // Tokens.
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
      `${what} would outlast this token; use one that never expires and is not for one container, or ssh.`,
  ),
  'token-exceeds': forbidden<{ what: string }>(
    ({ what }) => `a token cannot make one that is more powerful than itself: ${what}.`,
  ),
  'too-many-tokens': failed<{ limit: number }>(
    ({ limit }) => `this key has ${limit} exe1 tokens; remove the key to end them all, or use another one.`,
  ),

  // Targets. One sentence for "does not exist" and "is not yours", so that nothing can be probed.
  'target-not-found': row<{ target: string; reachable: string }>(
    255,
    404,
    ({ target, reachable }) => `no target "${target}" for you here. ${reachable}`,
  ),
  'target-ambiguous': row<{ target: string; ids: string }>(
    255,
    409,
    ({ target, ids }) => `"${target}" names more than one target: ${ids}. Use one of these ids.`,
  ),
  'grant-not-found': row<{ target: string; account: string }>(
    1,
    404,
    ({ target, account }) =>
      `${target} is not shared with "${account}"; "share show ${target}" lists who it is shared with.`,
  ),
  'target-user-refused': row<{ user: string; target: string }>(
    255,
    403,
    ({ user, target }) =>
      `you may not enter ${target} as "${user}"; leave the user name out to use the default one.`,
  ),
  'no-such-user': session<{ user: string; target: string }>(
    ({ user, target }) => `there is no user "${user}" in ${target}; leave it out to use the default one.`,
  ),
  'container-not-running': session<{ name: string; state: string }>(
    ({ name, state }) =>
      `container ${name} is ${state}; "ssh GATEWAY start ${name}" starts it, if it is yours.`,
  ),
  'container-ended': session<{ name: string }>(
    ({ name }) => `container ${name} stopped while the session was running.`,
  ),
  'container-gone': session<{ name: string }>(
    ({ name }) => `container ${name} no longer exists; "ssh GATEWAY ls" shows what there is.`,
  ),
  'no-shell': session<{ name: string }>(
    ({ name }) => `container ${name} has no shell; give a program to run, like "ssh … /bin/program".`,
  ),
  'engine-unavailable': row<{ reason: string }>(
    255,
    503,
    ({ reason }) =>
      `the Docker Engine cannot be reached (${reason}); containers are unavailable until it can.`,
  ),
  'engine-failed': session<{ reason: string }>(({ reason }) => `the Docker Engine refused: ${reason}`),
  'pty-refused': session(() => 'a terminal is not allowed here; run a command without one (ssh -T).'),
  'sftp-refused': session(() => 'file transfer is not allowed on this target for you.'),
  'no-sftp-server': session<{ name: string }>(
    ({ name }) =>
      `container ${name} has no sftp-server program, which file transfer needs; install one (Debian: openssh-sftp-server).`,
  ),
  'unknown-subsystem': session<{ subsystem: string }>(
    ({ subsystem }) => `the subsystem "${subsystem}" is not offered here; there is "sftp".`,
  ),
  'lobby-no-files': session(
    () => 'the lobby has no files: name a target as the login name, like "scp FILE rexec-NAME@GATEWAY:".',
  ),
  'port-refused': session<{ port: number }>(
    ({ port }) => `port ${port} is not forwarded here; a target is reached at port 22, with "ssh -J".`,
  ),
  'forwarding-refused': session(() => 'the key you used may not forward, and a jump is a forwarding.'),
  'destination-refused': session<{ permitted: string }>(
    ({ permitted }) => `the key you used may be forwarded to ${permitted} only (its permitopen=).`,
  ),
  'forced-command-only': session(() => 'the key you used may only run its own forced command.'),

  // Sessions and the store.
  'session-not-found': row<{ session: string }>(
    1,
    404,
    ({ session }) => `there is no session "${session}"; "session list" shows them.`,
  ),
  'too-many-sessions': session<{ limit: number }>(
    ({ limit }) => `${limit} sessions are open already; close one first.`,
  ),
  'invalid-config': usage<{ problem: string }>(({ problem }) => problem),
  'store-held': row<{ folder: string; pid: string }>(
    1,
    500,
    ({ folder, pid }) =>
      `${folder} is in use by another gateway (process ${pid}); stop it first, or choose another folder with --data.`,
  ),
  'store-corrupt': row<{ file: string; problem: string; advice: string }>(
    1,
    500,
    ({ file, problem, advice }) => `${file} cannot be read: ${problem}. It was left untouched. ${advice}`,
  ),
  'store-newer': row<{ file: string; found: number; known: number }>(
    1,
    500,
    ({ file, found, known }) =>
      `${file} was written by a newer version (schema ${found}, this one knows ${known}); run that version, or restore a backup.`,
  ),
  'store-write-failed': row<{ reason: string }>(
    1,
    500,
    ({ reason }) => `the change could not be written to disk and was not made (${reason}).`,
  ),
  internal: row<{ id: string }>(
    255,
    500,
    ({ id }) => `internal error ${id}; the operator finds the cause under this number in the log.`,
  ),
} as const;

export type ErrorCode = keyof typeof errorTable;
export type ErrorParams<Code extends ErrorCode> = Parameters<(typeof errorTable)[Code]['sentence']>[0];
