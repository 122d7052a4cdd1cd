/** Drives russh through its binding for Node; the arguments are those of driver.ts. */
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import {
  type AuthenticatedSSHClient,
  KeyPair,
  OPEN_CREATE,
  OPEN_READ,
  OPEN_TRUNCATE,
  OPEN_WRITE,
  SSHClient,
  SshTransport,
} from 'russh';

const given: Record<string, string> = Object.fromEntries(
  process.argv.slice(2).map((argument) => {
    const equals = argument.indexOf('=');
    return [argument.slice(0, equals), argument.slice(equals + 1)];
  }),
);
const value = (name: string): string => given[name] ?? '';

async function connect(): Promise<AuthenticatedSSHClient> {
  const known = await readFile(value('knownHosts'), 'utf8');
  const client = await SSHClient.connect(
    await SshTransport.newSocket(`127.0.0.1:${value('port')}`),
    async (key) => known.includes(key.base64()),
    given['keepalive'] === undefined ? {} : { keepaliveIntervalSeconds: Number(given['keepalive']) },
  );
  const key = await KeyPair.parse(await readFile(value('key'), 'utf8'));
  const outcome = await client.authenticateWithKeyPair(value('login'), key, 'sha512');
  if (!('openSessionChannel' in outcome)) throw new Error('permission denied');
  return outcome;
}

async function run(client: AuthenticatedSSHClient): Promise<void> {
  const channel = await client.activateChannel(await client.openSessionChannel());
  const closed = new Promise<void>((resolve) => channel.closed$.subscribe(() => resolve()));
  channel.data$.subscribe((data) => void process.stdout.write(data));
  channel.extendedData$.subscribe(([, data]) => void process.stderr.write(data));
  if (given['pty'] !== undefined) {
    await channel.requestPTY('xterm', { columns: 80, rows: 24, pixWidth: 0, pixHeight: 0 });
  }
  await channel.requestExec(value('exec'));
  for await (const chunk of process.stdin) await channel.write(chunk as Buffer);
  await channel.eof();
  await closed;
}

async function forward(client: AuthenticatedSSHClient): Promise<void> {
  const opened = await client.openTCPForwardChannel({
    addressToConnectTo: 'localhost',
    portToConnectTo: Number(value('forward')),
    originatorAddress: '127.0.0.1',
    originatorPort: 1,
  });
  const channel = await client.activateChannel(opened);
  const ended = new Promise<void>((resolve) => channel.eof$.subscribe(() => resolve()));
  channel.data$.subscribe((data) => void process.stdout.write(data));
  for await (const chunk of process.stdin) await channel.write(chunk as Buffer);
  await channel.eof();
  await ended;
}

async function transfer(client: AuthenticatedSSHClient): Promise<void> {
  const files = await client.activateSFTP(await client.openSessionChannel());
  if (given['put'] !== undefined) {
    const file = await files.open(value('remote'), OPEN_CREATE | OPEN_TRUNCATE | OPEN_WRITE);
    await file.writeAll(await readFile(given['put']));
    await file.shutdown();
    return;
  }
  const file = await files.open(value('get'), OPEN_READ);
  const local = createWriteStream(value('local'));
  for (let data = await file.read(65_536); data.length > 0; data = await file.read(65_536)) local.write(data);
  await new Promise<void>((resolve) => local.end(resolve));
}

const client = await connect();
if (given['exec'] !== undefined) await run(client);
else if (given['forward'] !== undefined) await forward(client);
else await transfer(client);
await client.disconnect();
// The binding keeps the process alive.
process.stdout.write('', () => process.exit(0));
