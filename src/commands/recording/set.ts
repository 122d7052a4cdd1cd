import {
  accountRuleId,
  putRecordingRule,
  type RecordingSetting,
  readRecordingRule,
} from '../../recordings/recording-modes.ts';
import type { Arguments, Command, CommandContext } from '../command.ts';
import { oneWord, optionText } from '../text-parts.ts';

export const command: Command = {
  path: ['recording', 'set'],
  summary: 'whether sessions in a target, or of an account, are recorded',
  description:
    '"required": without a recording there is no session, and none end to end. The strictest of the configuration, the\n' +
    'target and the account holds. Sessions that run go on as they began, but where it is required now, those that are not\n' +
    'recorded end.',
  examples: [
    'ssh GATEWAY recording set web',
    'ssh GATEWAY recording set web on',
    'ssh GATEWAY recording set web required',
    'ssh GATEWAY recording set --account=alice on',
  ],
  positionals: [{ name: 'TARGET', completes: 'target' }, { name: 'on|off|required' }],
  options: {
    account: { type: 'string', placeholder: 'NAME', describe: 'of this account, wherever it goes' },
  },
  permission: 'admin',
  outlasts: true,
  changes: true,
  async run(args, context) {
    const { subject, id, asked } = await readSubject(args, context);
    const setting = parseSetting(asked, context);
    if (setting !== undefined) await putRecordingRule(context, id, setting);
    const now = setting ?? (await readRecordingRule(context.store, id));
    const { config } = context;
    return {
      data: { ...subject, recording: now, configured: config.recordings },
      text: `${Object.values(subject)[0]}: ${texts[now]}${config.recordings === 'off' ? '' : ` The gateway's own setting is "${config.recordings}".`}`,
    };
  },
};

const texts: Readonly<Record<RecordingSetting, string>> = {
  off: 'no recordings by a setting of its own.',
  on: 'sessions are recorded.',
  required: 'sessions are recorded, or there are none.',
};

interface Subject {
  readonly subject: { readonly target: string } | { readonly account: string };
  readonly id: string;
  /** As it was typed. */
  readonly asked: string | undefined;
}

async function readSubject({ positionals, options }: Arguments, context: CommandContext): Promise<Subject> {
  const words = [oneWord(positionals['TARGET']), oneWord(positionals['on|off|required'])];
  const account = optionText(options['account']);
  if (account !== undefined) {
    const [asked, tooMany] = words;
    if (tooMany !== undefined) throw context.usage('give a target or --account, not both');
    const { id, name } = await context.accounts.getByName(account);
    return { subject: { account: name }, id: accountRuleId(id), asked };
  }
  const [name, asked] = words;
  if (name === undefined) throw context.usage('name a target, or --account=NAME');
  const target = await context.targets.resolve(context.principal, name);
  return { subject: { target: target.name }, id: target.key, asked };
}

function parseSetting(text: string | undefined, { usage }: CommandContext): RecordingSetting | undefined {
  if (text === undefined || text === 'on' || text === 'off' || text === 'required') return text;
  throw usage('say on, off or required');
}
