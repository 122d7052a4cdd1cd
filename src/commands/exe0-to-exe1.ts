import { isTokenRefusal, type TokenRefusal } from '../auth/token-authenticator.ts';
import { GatewayError } from '../errors.ts';
import { parseJwt } from '../tokens/jwt.ts';
import type { Arguments, Command, CommandContext } from './command.ts';
import { oneWord, optionText } from './text-parts.ts';

export const command: Command = {
  path: ['exe0-to-exe1'],
  summary: 'a short token that stands for one you have signed',
  description:
    'The token comes on stdin, where no shell keeps it, or as an argument. The short one works wherever the long\n' +
    'one does; removing the key that signed ends both.',
  examples: [
    'printf %s "$TOKEN" | ssh GATEWAY exe0-to-exe1',
    'ssh GATEWAY exe0-to-exe1 "$TOKEN"',
    'ssh GATEWAY exe0-to-exe1 --vm=web "$TOKEN"',
  ],
  positionals: [{ name: 'TOKEN' }],
  options: {
    vm: { type: 'string', placeholder: 'NAME', describe: 'the container that the token was signed for' },
  },
  permission: 'anyone',
  secondFactor: 'proven',
  changes: true,
  async run({ positionals, options }, context) {
    const exe0 = await readToken(positionals, context);
    const token = await exchange(exe0, optionText(options['vm']), context);
    return { data: { token }, text: token };
  },
};

async function readToken(positionals: Arguments['positionals'], context: CommandContext): Promise<string> {
  const token = oneWord(positionals['TOKEN']) ?? (await context.readStdin()).trim();
  if (token === '') throw context.usage('give a token on stdin, or as an argument');
  return token;
}

async function exchange(exe0: string, vm: string | undefined, context: CommandContext): Promise<string> {
  const { tokens, handles, principal, session } = context;
  if (exe0.startsWith('exe1.') || parseJwt(exe0)) throw invalid('it is an exe1 token already');
  const shown = principal.identity.token === undefined && principal.secondFactor.proof === 'proven';
  const found = await tokens.authenticate(exe0, {
    kind: vm === undefined ? 'commands' : 'container',
    source: session.source,
    ...(shown ? { provenFor: principal.account.id } : {}),
  });
  if (isTokenRefusal(found)) throw invalid(toldOf(found));
  if (found.token?.container !== vm) throw invalid('it was signed for another container');
  return handles.create(exe0, {
    keyFingerprint: found.fingerprint,
    exp: found.token?.exp,
    secondFactor: found.secondFactor === 'proven' ? 'proven' : undefined,
  });
}

const toldOf = ({ evident, refused }: TokenRefusal) => (evident ? refused : undefined);
const invalid = (reason: string | undefined) => new GatewayError('invalid-token', { reason });
