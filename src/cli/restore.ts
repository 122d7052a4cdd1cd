/** `postern restore FILE`: a gateway becomes what the backup says, whether it runs or not. */
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { decryptWith, isAgeFile } from '../backup/age-file.ts';
import { maxBackupBytes } from '../backup/archive.ts';
import { GatewayError } from '../errors.ts';
import { restoreStopped } from '../gateway-backup.ts';
import { systemReason } from '../platform/system-reason.ts';
import { dataFlag } from './backup.ts';
import { callGateway, connectToGateway, NoGateway, tell } from './call-gateway.ts';
import { parseFlags } from './parse-flags.ts';
import type { CliCommand, Terminal } from './run-cli.ts';

const flags = {
  data: dataFlag,
  hostkeys: {
    type: 'string',
    requiresArg: true,
    describe: 'folder of the host keys (default ./hostkeys), for a gateway that does not run',
  },
  identity: {
    type: 'string',
    requiresArg: true,
    describe: 'private SSH key without passphrase, for a backup that was encrypted to it',
  },
} as const;

const usage = `FILE|- [FLAGS]

Checks the backup, and puts it in the place of what the gateway is; that is kept beside. A gateway that runs ends all
connections and goes on with it; without one, the folders are filled for the next start. "-" reads stdin:

  age -d -i ~/.ssh/id_ed25519 FILE | postern restore -`;

export const restore: CliCommand = async (args, terminal) => {
  const parsed = await parseFlags(args, { name: 'postern restore', usage, flags, maxWords: 1 }, terminal);
  if (!parsed) return 0;
  const [file] = parsed.words;
  if (file === undefined) {
    throw new GatewayError('usage', { problem: 'name the backup: postern restore FILE [--data DIR].' });
  }
  const { env } = terminal;
  const { identity, data: dataDir = env['POSTERN_DATA_DIR'] ?? './data' } = parsed.flags;
  const { hostkeys: hostKeysDir = env['POSTERN_HOST_KEYS_DIR'] ?? './hostkeys' } = parsed.flags;
  const bytes = await opened(await readBackup(file, terminal), identity);
  try {
    const { response } = await callGateway(dataDir, { line: 'restore', stdin: '' }, bytes);
    if (response.exitStatus === 0) await awaitGateway(dataDir);
    return tell(response, terminal);
  } catch (error) {
    if (!(error instanceof NoGateway)) throw error;
  }
  const said = await restoreStopped(bytes, { dataDir, hostKeysDir });
  terminal.stdout.write(
    `${said} It holds when a gateway is started with --data ${dataDir} and --hostkeys ${hostKeysDir}.\n`,
  );
  return 0;
};

async function readBackup(file: string, { stdin }: Terminal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const source = file === '-' ? stdin : createReadStream(file);
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBackupBytes) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    const problem = `the backup ${file} cannot be read (${systemReason(cause)}).`;
    throw new GatewayError('usage', { problem }, { cause });
  }
  if (bytes > maxBackupBytes)
    throw new Error('the backup is larger than 512 MiB, and was made by nobody here.');
  return Buffer.concat(chunks);
}

async function opened(bytes: Buffer, identity: string | undefined): Promise<Buffer> {
  if (!isAgeFile(bytes)) return bytes;
  if (identity === undefined) {
    throw new GatewayError('usage', {
      problem: 'the backup is encrypted; name the private key that opens it with --identity FILE.',
    });
  }
  const { mode } = await stat(identity).catch((cause) => Promise.reject(unreadable(identity, cause)));
  if ((mode & 0o077) !== 0) {
    throw new GatewayError('usage', {
      problem: `the identity file ${identity} may be read by others; make it yours alone with "chmod 600".`,
    });
  }
  return decryptWith(
    await readFile(identity, 'utf8').catch((cause) => Promise.reject(unreadable(identity, cause))),
    bytes,
  );
}

const unreadable = (file: string, cause: unknown) =>
  new GatewayError('usage', {
    problem: `the identity file ${file} cannot be read (${systemReason(cause)}).`,
  });

const patienceMs = 60_000;

/** The one that answered is gone by now; the restored one comes. */
async function awaitGateway(dataDir: string): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    try {
      (await connectToGateway(dataDir)).destroy();
      return;
    } catch (error) {
      if (!(error instanceof NoGateway) || performance.now() > deadlineMs)
        throw new Error('the backup holds, but the gateway has not come up with it; its log says why.', {
          cause: error,
        });
      await pause(100);
    }
  }
}
