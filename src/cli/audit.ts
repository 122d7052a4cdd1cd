/** `postern audit`: whether the audit on disk is whole, without a gateway; anything else is the lobby's command. */
import { auditFolder } from '../audit/audit-files.ts';
import { verifyAudit } from '../audit/verify-audit.ts';
import { GatewayError } from '../errors.ts';
import { operate } from './operate.ts';
import { parseFlags } from './parse-flags.ts';
import type { CliCommand } from './run-cli.ts';

const flags = {
  data: { type: 'string', describe: 'data folder (default ./data)' },
  expect: { type: 'string', describe: 'a last hash that was noted before: it must still be there' },
  json: { type: 'boolean', describe: 'one JSON object' },
} as const;

const usage = `[--data DIR] [--expect HASH]

Follows the chain of hashes through DATA/audit, also while a gateway runs. A line that was changed, added or
taken out is told. What is cut off at the end leaves no trace in the chain: note the last hash somewhere else
from time to time, and give it with --expect.

Exit status: 0 when all is whole, else 1.`;

export const audit: CliCommand = async (args, terminal) => {
  if (args[0] !== 'verify') return operate(['audit', ...args], terminal);
  const parsed = await parseFlags(args.slice(1), { name: 'postern audit verify', usage, flags }, terminal);
  if (!parsed) return 0;
  const { data = terminal.env['POSTERN_DATA_DIR'] ?? './data', expect, json = false } = parsed.flags;
  if (expect !== undefined && !/^[0-9a-f]{64}$/.test(expect)) {
    throw new GatewayError('usage', { problem: '--expect takes a hash of 64 hexadecimal digits.' });
  }
  const verdict = await verifyAudit(data, expect);
  const isWhole = verdict.breaks.length === 0 && verdict.expectedFound && verdict.lines > 0;
  terminal.stdout.write(json ? `${JSON.stringify({ whole: isWhole, ...verdict })}\n` : report(verdict, data));
  return isWhole ? 0 : 1;
};

type Verdict = Awaited<ReturnType<typeof verifyAudit>>;

function report(
  { lines, firstSeq, lastSeq, lastHash, cutShort, expectedFound, breaks }: Verdict,
  data: string,
) {
  if (lines === 0) return `There is no audit in ${auditFolder(data)}.\n`;
  const told = [
    `${lines} lines, number ${firstSeq ?? '?'} to ${lastSeq ?? '?'}${firstSeq === 1 ? '' : '; older files were removed'}`,
    `last hash ${lastHash}`,
    ...(cutShort === 0 ? [] : [`${cutShort} cut short by a crash`]),
    ...breaks.map(({ file, line, problem }) => `BROKEN: ${file}, line ${line}: ${problem}`),
    ...(expectedFound ? [] : ['BROKEN: no line has the expected hash; lines were cut off or rewritten']),
    breaks.length === 0 && expectedFound ? 'The chain is whole.' : 'The chain is not whole.',
  ];
  return `${told.join('\n')}\n`;
}
