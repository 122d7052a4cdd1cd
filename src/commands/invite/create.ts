import { parseExpiry } from '../../keys/expiry.ts';
import { parseRole } from '../account/parse-role.ts';
import type { Arguments, Command, CommandContext } from '../command.ts';
import { optionText, shortTime } from '../text-parts.ts';

export const command: Command = {
  path: ['invite', 'create'],
  summary: 'a line that lets somebody join with a key of their own, once',
  examples: ['ssh GATEWAY invite create', 'ssh GATEWAY invite create --name=alice --role=member --exp=2d'],
  positionals: [],
  options: {
    role: { type: 'string', placeholder: 'ROLE', describe: 'admin or member (default)' },
    name: { type: 'string', placeholder: 'N', describe: 'fixes the name of the account' },
    exp: { type: 'string', placeholder: '7d', describe: 'how long the invite is good' },
  },
  permission: 'admin',
  outlasts: true,
  secondFactor: 'proven',
  changes: true,
  async run(args, context) {
    const { invites, endpoint, principal } = context;
    const role = parseRole(optionText(args.options['role']) ?? 'member');
    const name = optionText(args.options['name']);
    const expiresAt = expiryOf(args, context);
    const createdBy = principal.account.id;
    const { invite, code } = await invites.create({
      role,
      ...(name === undefined ? {} : { name }),
      expiresAt,
      createdBy,
    });
    const { host, port } = endpoint();
    const line = `ssh -p ${port} -o IdentitiesOnly=yes -i ~/.ssh/id_ed25519 join+${code}@${host}`;
    return {
      data: { id: invite.id, code, command: line, expires_at: expiresAt },
      text: `${line}\n(good once, until ${shortTime(expiresAt, '')} UTC; who joins puts the path of their own private key after -i)`,
    };
  },
};

function expiryOf({ options }: Arguments, { clock, config, usage }: CommandContext): string {
  const exp = optionText(options['exp']);
  if (exp === undefined) return new Date(clock.now() + config.inviteExpiryDays * 86_400_000).toISOString();
  const expiresAt = parseExpiry(exp, clock.now());
  if (expiresAt === undefined) throw usage('an invite must expire');
  return expiresAt;
}
