import type { TokenFacts } from '../../auth/identity.ts';
import { GatewayError } from '../../errors.ts';
import { parseExpiry } from '../../keys/expiry.ts';
import { excerpt } from '../../platform/excerpt.ts';
import { dottedName } from '../../targets/engine-names.ts';
import { findUnknownCommand, parseCommandList } from '../../tokens/command-list.ts';
import { defaultCommands } from '../../tokens/permissions.ts';
import type { Arguments, Command, CommandContext } from '../command.ts';
import { nameOf } from '../interpreter/load-commands.ts';
import { optionText, shortTime } from '../text-parts.ts';
import { ownAccountId } from './own-keys.ts';

export const command: Command = {
  path: ['ssh-key', 'generate-api-key'],
  summary: 'a token for programs, with a key of its own that revokes it',
  description:
    `Without --cmds the token may run: ${defaultCommands.join(', ')}.\n` +
    'Parents and subcommands are named apart: "ssh-key" grants nothing of "ssh-key list". "ssh" grants sessions in\n' +
    'every target you reach, "ssh NAME" in that one. A token that never expires and may run ssh-key add, invite create,\n' +
    'share add or account commands is as good as the account itself. "new" is taken and grants nothing yet.\n' +
    'The token is shown this once; "ssh-key remove LABEL" revokes it.',
  examples: [
    'ssh GATEWAY \'ssh-key generate-api-key --label=ci --cmds="ls,ssh web" --exp=30d\'',
    'TOKEN=$(ssh GATEWAY ssh-key generate-api-key)',
    'ssh GATEWAY ssh-key generate-api-key --vm=web',
  ],
  positionals: [],
  options: {
    label: { type: 'string', placeholder: 'LABEL', describe: 'what the key is called' },
    vm: {
      type: 'string',
      placeholder: 'NAME',
      describe: "it opens that container's web server, and no command",
    },
    cmds: { type: 'string', placeholder: 'a,b', describe: 'the commands it may run' },
    exp: { type: 'string', placeholder: '30d', describe: 'when it ends (default: never)' },
  },
  permission: 'unrestricted',
  secondFactor: 'proven',
  changes: true,
  async run({ options }, context) {
    const { apiKeys, principal } = context;
    const { token: bearer } = principal.identity;
    const cmds = parseCommands(optionText(options['cmds']), context);
    const exp = parseExp(options, context);
    const container = await findContainer(optionText(options['vm']), context);
    checkWithin(bearer, { cmds, exp, container });
    const { token, key } = await apiKeys.create({
      accountId: ownAccountId(principal),
      label: optionText(options['label']),
      cmds,
      exp,
      container,
      secondFactor: principal.secondFactor.proof === 'proven' ? 'proven' : undefined,
    });
    const ends =
      key.expiresAt === undefined ? 'never expires' : `is good until ${shortTime(key.expiresAt, '')} UTC`;
    return {
      data: {
        token,
        label: key.name,
        fingerprint: key.fingerprint,
        expires_at: key.expiresAt ?? null,
      },
      text: token,
      notice: `this token is shown once and ${ends}; "ssh-key remove '${key.name}'" revokes it.`,
    };
  },
};

/** Undefined for the default list. Throws usage for what is no command here. */
function parseCommands(text: string | undefined, { commands, usage }: CommandContext) {
  const named = parseCommandList(text ?? '');
  const unknown = findUnknownCommand(named, commands.map(nameOf));
  if (unknown !== undefined) throw usage(`--cmds names "${excerpt(unknown)}", which is no command`);
  return named.length === 0 ? undefined : named;
}

/** In whole seconds, as tokens count. */
function parseExp(options: Arguments['options'], { clock }: CommandContext): number | undefined {
  const expiresAt = parseExpiry(optionText(options['exp']) ?? 'never', clock.now());
  return expiresAt === undefined ? undefined : Math.floor(Date.parse(expiresAt) / 1000);
}

/** As it stands before the gateway's domain, where no slash can be. */
async function findContainer(name: string | undefined, { targets, principal }: CommandContext) {
  if (name === undefined) return undefined;
  const target = await targets.resolveContainer(principal, name);
  return target.engine === undefined ? target.name : dottedName(target);
}

interface Wanted {
  readonly cmds: readonly string[] | undefined;
  readonly exp: number | undefined;
  readonly container: string | undefined;
}

/** Nothing made through a token is more powerful than it. Throws token-exceeds. */
function checkWithin(
  bearer: TokenFacts | undefined,
  { cmds = defaultCommands, exp, container }: Wanted,
): void {
  if (!bearer) return;
  const exceeds = (what: string) => new GatewayError('token-exceeds', { what });
  const covers = (entry: string) =>
    bearer.cmds.includes(entry) || (entry.startsWith('ssh ') && bearer.cmds.includes('ssh'));
  const extra = cmds.find((entry) => !covers(entry));
  if (extra !== undefined)
    throw exceeds(`it may not run "${excerpt(extra)}" itself; name with --cmds what it may`);
  if (container !== undefined) throw exceeds('it opens no container, so leave out --vm');
  if (bearer.exp !== undefined && (exp === undefined || exp > bearer.exp)) {
    throw exceeds(
      `it ends at ${new Date(bearer.exp * 1000).toISOString()}, so give an --exp that is no later`,
    );
  }
}
