/** `postern token sign`: an exe0 token by a key of one's own, without the recipe in shell. */
import { loadCommands, nameOf } from '../commands/interpreter/load-commands.ts';
import { domainPattern } from '../config/config.ts';
import { GatewayError } from '../errors.ts';
import { findTime, parseExpiry } from '../keys/expiry.ts';
import { excerpt } from '../platform/excerpt.ts';
import { findUnknownCommand, parseCommandList } from '../tokens/command-list.ts';
import { formatExe0, parseExe0, verifyExe0 } from '../tokens/exe0.ts';
import { MalformedToken } from '../tokens/malformed-token.ts';
import { commandsNamespace, containerNamespace, findScope } from '../tokens/namespaces.ts';
import { defaultCommands, formatPermissions } from '../tokens/permissions.ts';
import { parseFlags } from './parse-flags.ts';
import type { CliCommand } from './run-cli.ts';
import { signWithSshKeygen } from './ssh-keygen.ts';

const flags = {
  key: {
    type: 'string',
    demandOption: true,
    requiresArg: true,
    describe: 'private key file, or a .pub file whose other half is in the agent',
  },
  domain: {
    type: 'string',
    demandOption: true,
    requiresArg: true,
    describe: "the gateway's own name, as in its --domain",
  },
  vm: {
    type: 'string',
    requiresArg: true,
    describe: 'a container: the token opens its web server, and no command',
  },
  cmds: {
    type: 'string',
    requiresArg: true,
    describe: `the commands it may run, with commas between (default: ${defaultCommands.join(',')})`,
  },
  exp: { type: 'string', requiresArg: true, describe: '30d, 12h, 2030-12-31 … or never (the default)' },
  nbf: { type: 'string', requiresArg: true, describe: 'good from then on: 30d, 2030-12-31 …' },
  ctx: { type: 'string', requiresArg: true, describe: "JSON for the container's web server" },
} as const;

const usage = `--key FILE --domain DOMAIN [FLAGS]

Prints a token that your key has signed. The key must be registered on the gateway; removing it there ends the token.`;

export const signToken: CliCommand = async (args, terminal) => {
  const parsed = await parseFlags(args, { name: 'postern token sign', usage, flags }, terminal);
  if (!parsed) return 0;
  const { key: keyFile, domain, vm, cmds, exp, nbf, ctx } = parsed.flags;
  const namespace = namespaceFor(domain, vm);
  const times = readTimes(exp, nbf, Date.now());
  const named = parseCommandList(cmds ?? '');
  await checkCommands(named);
  const message = told(() =>
    formatPermissions({
      ...times,
      cmds: named.length === 0 ? undefined : named,
      ctx: ctx === undefined ? undefined : Buffer.from(ctx),
    }),
  );
  const blob = await signWithSshKeygen({ keyFile, namespace, message }, terminal);
  const token = told(() => formatExe0(message, blob));
  if (!told(() => verifyExe0(parseExe0(token))))
    throw new Error('ssh-keygen made a signature that does not hold.');
  terminal.stdout.write(`${token}\n`);
  return 0;
};

const misused = (problem: string) => new GatewayError('usage', { problem: `${problem}.` });

function namespaceFor(domain: string, vm: string | undefined): string {
  if (!domainPattern.test(domain)) throw misused(`--domain "${excerpt(domain)}" is no host name or address`);
  if (vm === undefined) return commandsNamespace(domain);
  const namespace = containerNamespace(vm, domain);
  if (!findScope(namespace, domain)) throw misused(`--vm "${excerpt(vm)}" is no name of a container`);
  return namespace;
}

function readTimes(exp: string | undefined, nbf: string | undefined, now: number) {
  const expiresAt = exp === undefined ? undefined : parseExpiry(exp, now);
  const endsAt = expiresAt === undefined ? undefined : Date.parse(expiresAt);
  const startsAt = nbf === undefined ? undefined : findTime(nbf.trim(), now);
  if (nbf !== undefined && startsAt === undefined) {
    throw misused(`--nbf "${excerpt(nbf)}" is no time; give 30d, 12h, 2w, 1y, or a date like 2030-12-31`);
  }
  if (startsAt !== undefined && endsAt !== undefined && startsAt >= endsAt) {
    throw misused('--nbf is not before --exp, so the token would never be good');
  }
  return { exp: inSeconds(endsAt), nbf: inSeconds(startsAt) };
}

const inSeconds = (ms: number | undefined) => (ms === undefined ? undefined : Math.floor(ms / 1000));

async function checkCommands(named: readonly string[]): Promise<void> {
  const commands = await loadCommands();
  const unknown = findUnknownCommand(named, commands.map(nameOf));
  if (unknown !== undefined) throw misused(`--cmds names "${excerpt(unknown)}", which is no command`);
}

/** What a gateway would refuse, as a sentence. */
function told<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof MalformedToken)) throw error;
    throw new Error(`no gateway would take this token: ${error.message.replace(/\.$/, '')}.`, {
      cause: error,
    });
  }
}
