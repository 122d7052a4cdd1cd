import { putGrant } from '../../auth/grants.ts';
import { GatewayError } from '../../errors.ts';
import { usersOf } from '../../hosts/host-target.ts';
import { excerpt } from '../../platform/excerpt.ts';
import type { Target } from '../../targets/target.ts';
import type { Command } from '../command.ts';
import { getManagedTarget } from '../managed-target.ts';
import { oneWord, optionText } from '../text-parts.ts';
import { grantsAnswer } from './grants-answer.ts';

export const command: Command = {
  path: ['share', 'add'],
  summary: 'let an account open sessions in a target',
  description:
    "Without --users the account enters as the target's default user only; with it, as those users only.\n" +
    'A host shared with limits is reached through the gateway only: end to end nobody could keep them.\n' +
    '--no-sftp is a convenience, not a boundary: whoever may run commands can copy files with them.\n' +
    'Adding an account again replaces its terms.',
  examples: [
    'ssh GATEWAY share add web alice',
    'ssh GATEWAY share add web alice --users=app,www-data --no-forwarding',
  ],
  positionals: [
    { name: 'TARGET', required: true, completes: 'target' },
    { name: 'ACCOUNT', required: true, completes: 'account' },
  ],
  options: {
    users: { type: 'string', placeholder: 'A,B', describe: 'users the account may enter as' },
    'no-pty': { type: 'boolean', describe: 'no terminals' },
    'no-forwarding': { type: 'boolean', describe: 'no port forwarding' },
    'no-sftp': { type: 'boolean', describe: 'no file transfer by sftp' },
  },
  permission: 'unrestricted',
  outlasts: true,
  changes: true,
  async run({ positionals, options }, context) {
    const { accounts, principal } = context;
    const users = parseUsers(optionText(options['users']));
    const target = await getManagedTarget(oneWord(positionals['TARGET']) ?? '', 'share add', context);
    checkUsers(users, target);
    const account = await accounts.getByName(oneWord(positionals['ACCOUNT']) ?? '');
    await putGrant(context, target, account, {
      users,
      noPty: options['no-pty'] === true,
      noForwarding: options['no-forwarding'] === true,
      noSftp: options['no-sftp'] === true,
      createdBy: principal.account.id,
    });
    return grantsAnswer(target, context);
  },
};

/** Throws host-user-unknown: what the gateway may not log in as, nobody can be granted. */
function checkUsers(users: readonly string[], target: Target): void {
  if (target.kind !== 'host') return;
  const known = usersOf(target.host);
  const unknown = users.find((user) => !known.includes(user));
  if (unknown !== undefined) {
    throw new GatewayError('host-user-unknown', {
      host: target.name,
      user: excerpt(unknown),
      users: known.join(', '),
    });
  }
}

const maxUsers = 32;

function parseUsers(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const users = [...new Set(text.split(',').map((user) => user.trim()))];
  const wrong = users.find((user) => !/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}\$?$/.test(user));
  if (wrong === undefined && users.length <= maxUsers) return users;
  throw new GatewayError('usage', {
    problem:
      wrong === undefined
        ? `--users takes at most ${maxUsers} names.`
        : `"${excerpt(wrong)}" in --users cannot be a user name; give names with commas between them.`,
  });
}
