/** `postern token inspect`: what a token says, and whether it could be good now, as far as that can be told offline. */
import { findTimeFault } from '../auth/token-authenticator.ts';
import type { GatewayError } from '../errors.ts';
import { printable } from '../platform/printable.ts';
import { type Exe0, parseExe0, verifyExe0 } from '../tokens/exe0.ts';
import { isHandle } from '../tokens/handles.ts';
import { parseJwt } from '../tokens/jwt.ts';
import { MalformedToken } from '../tokens/malformed-token.ts';
import { defaultCommands } from '../tokens/permissions.ts';
import { parseFlags } from './parse-flags.ts';
import { readStdin } from './read-stdin.ts';
import type { CliCommand, Terminal } from './run-cli.ts';

const flags = { json: { type: 'boolean', describe: 'one JSON object' } } as const;

const usage = `[TOKEN] [--json]

Shows what a token says, without a gateway. Better on stdin, where no shell keeps it:

  printf %s "$TOKEN" | postern token inspect

Exit status: 0 when its signature holds and its time is now, else 1.
Whether its key is registered, only the gateway knows.`;

export const inspectToken: CliCommand = async (args, terminal) => {
  const parsed = await parseFlags(
    args,
    { name: 'postern token inspect', usage, flags, maxWords: 1 },
    terminal,
  );
  if (!parsed) return 0;
  const { json = false } = parsed.flags;
  const token = await readToken(parsed.words, terminal);
  const print = (data: object, text: string) =>
    terminal.stdout.write(`${json ? JSON.stringify(data) : text}\n`);
  if (isHandle(token)) {
    print({ kind: 'exe1' }, 'An exe1 token: a handle, into which only the gateway that made it can look.');
    return 0;
  }
  const jwt = parseJwt(token);
  if (jwt) {
    const end = isoOf(jwt.exp);
    print(
      { kind: 'jwt', expires_at: end },
      `The JWT of an exchange, good until ${end} at most: a handle, as exe1.`,
    );
    return 0;
  }
  try {
    const report = reportOn(parseExe0(token), Date.now());
    print(report, textOf(report));
    return report.fault === null ? 0 : 1;
  } catch (error) {
    if (!(error instanceof MalformedToken)) throw error;
    const problem = `this is no token that a gateway takes: ${error.message.replace(/\.$/, '')}.`;
    if (!json) throw new Error(problem, { cause: error });
    print({ error: problem, code: 'invalid-token' satisfies GatewayError['code'] }, problem);
    return 1;
  }
};

async function readToken(words: readonly string[], terminal: Terminal): Promise<string> {
  if (words[0] !== undefined && words[0] !== '-') return words[0];
  if (terminal.stdin.isTTY)
    terminal.stderr.write('Paste the token, then press Ctrl-D on a line of its own.\n');
  return (await readStdin(terminal)).trim();
}

type Report = ReturnType<typeof reportOn>;

function reportOn(exe0: Exe0, nowMs: number) {
  const { payload, permissions, sshsig } = exe0;
  const { exp, nbf, cmds, ctx } = permissions;
  const verified = verifyExe0(exe0);
  return {
    kind: 'exe0',
    fault: verified ? (findTimeFault(permissions, nowMs) ?? null) : 'its signature does not hold',
    namespace: sshsig.namespace,
    key_type: sshsig.key.type,
    key_bits: sshsig.key.bits,
    fingerprint: sshsig.key.fingerprint,
    hash: sshsig.hash,
    signature_holds: verified !== undefined,
    ...(verified?.securityKey === undefined
      ? {}
      : { touched: verified.securityKey.userPresent, user_verified: verified.securityKey.userVerified }),
    cmds: cmds ?? defaultCommands,
    default_cmds: cmds === undefined,
    not_before: isoOf(nbf),
    expires_at: isoOf(exp),
    validity: validityOf(permissions, nowMs / 1000),
    ctx: ctx === undefined ? null : ctx.toString(),
    payload: payload.toString(),
  };
}

const isoOf = (seconds: number | undefined) =>
  seconds === undefined ? null : new Date(seconds * 1000).toISOString();

function validityOf({ exp, nbf }: Exe0['permissions'], now: number): string {
  const at = (seconds: number) => `${isoOf(seconds)?.slice(0, 19).replace('T', ' ')} UTC`;
  const ends = exp === undefined ? 'never expires' : `expires at ${at(exp)}, in ${spanOf(exp - now)}`;
  if (exp !== undefined && now >= exp) return `expired at ${at(exp)}, ${spanOf(now - exp)} ago`;
  if (nbf !== undefined && now < nbf) return `not valid before ${at(nbf)}, in ${spanOf(nbf - now)}; ${ends}`;
  return ends;
}

const units = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

/** In the largest unit of which there are two or more. */
function spanOf(seconds: number): string {
  const [unit, length] = units.find(([, each]) => seconds >= 2 * each) ?? units[3];
  const count = Math.round(seconds / length);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

function textOf(report: Report): string {
  const lines: readonly (readonly [name: string, value: string])[] = [
    ['namespace', report.namespace],
    ['key', `${report.key_type} ${report.fingerprint}`],
    ['signature', signatureText(report)],
    ['validity', report.validity],
    ['commands', `${report.cmds.join(', ') || 'none'}${report.default_cmds ? ' (the default)' : ''}`],
    ...(report.ctx === null ? [] : [['ctx', report.ctx] as const]),
    ['payload', report.payload],
  ];
  return lines.map(([name, value]) => `${name.padEnd(10)} ${printable(value)}`).join('\n');
}

function signatureText({ signature_holds, hash, touched, user_verified }: Report): string {
  if (!signature_holds) return 'DOES NOT HOLD: this key has not signed this';
  if (touched === undefined) return `holds (${hash})`;
  const seen = [touched ? 'touched' : 'not touched', ...(user_verified ? ['PIN or finger'] : [])];
  return `holds (${hash}; ${seen.join(', ')})`;
}
