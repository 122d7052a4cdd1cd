/** Sessions in registered hosts that the gateway opens itself, with the real ssh before it and real servers behind. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDropbear } from '../support/dropbear.ts';
import { type HostsBehind, lettingIn, startHostsBehind } from '../support/hosts-behind.ts';
import { collect, spawnSsh } from '../support/ssh-client.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let door: HostsBehind;
let servers: readonly Pick<Sshd, 'stop'>[];
beforeAll(async () => {
  door = await startHostsBehind();
  const keys = await lettingIn(door.identity);
  const sftp = 'Subsystem sftp internal-sftp';
  const [now, old] = await Promise.all([
    startSshd([...keys, sftp, 'AcceptEnv GREETING SSH_ORIGINAL_COMMAND']),
    // As a server of ten years ago was set up.
    startSshd([
      ...keys,
      sftp,
      'KexAlgorithms diffie-hellman-group14-sha256,ecdh-sha2-nistp256',
      'Ciphers aes128-ctr',
      'MACs hmac-sha2-256',
      'RekeyLimit 1M',
    ]),
  ]);
  const small = await startDropbear(door.identity);
  servers = [now, old, small];
  await door.addHost('now', now.port);
  await door.addHost('old', old.port);
  await door.addHost('small', small.port);
});
afterAll(async () => {
  await Promise.all([door.stop(), ...servers.map((server) => server.stop())]);
});

const on = (host: string) => ({ login: `rexec-${host}` });
const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe.each(['now', 'old', 'small'])('a session in the host %s', (host) => {
  it('has its own streams and status', async () => {
    const outcome = await door.ssh('echo out; echo err >&2; exit 7', on(host));
    expect([outcome.text, outcome.stderr, outcome.status]).toEqual(['out\n', 'err\n', 7]);
  });

  it('tells the signal that ended it', async () => {
    const { status, stderr } = await door.ssh('kill -TERM $$', on(host));
    expect([status, stderr]).toEqual([255, '']);
  });

  it('gets and gives every byte', async () => {
    const bytes = randomBytes((host === 'now' ? 100 : 10) * 1024 * 1024);
    const outcome = await door.ssh('cat', { ...on(host), stdin: bytes, timeoutMs: 80_000 });
    expect(hash(outcome.stdout)).toBe(hash(bytes));
    expect(outcome.status).toBe(0);
  });
});

describe('a terminal in a host', () => {
  it('has the size, the name and the modes of the one here', async () => {
    const { text } = await door.ssh('stty size; echo $TERM; tty', {
      ...on('now'),
      args: ['-tt'],
      env: { TERM: 'vt220' },
    });
    expect(text).toMatch(/^\d+ \d+\r\nvt220\r\n\/dev\/pts\/\d+\r\n$/);
  });
});

describe('the environment', () => {
  it('passes what the host accepts', async () => {
    const { text } = await door.ssh('echo $GREETING', {
      ...on('now'),
      args: ['-o', 'SendEnv=GREETING'],
      env: { GREETING: 'hello' },
    });
    expect(text).toBe('hello\n');
  });

  it('forged-original-command: what only the gateway may say is not taken from a client', async () => {
    const { text } = await door.ssh('echo [$SSH_ORIGINAL_COMMAND]', {
      ...on('now'),
      args: ['-o', 'SendEnv=SSH_ORIGINAL_COMMAND'],
      env: { SSH_ORIGINAL_COMMAND: 'forged' },
    });
    expect(text).toBe('[]\n');
  });
});

describe('the lobby', () => {
  it('runs a command in a host', async () => {
    const outcome = await door.ssh('ssh now echo "a  b"');
    expect([outcome.text, outcome.status]).toEqual(['a  b\n', 0]);
  });
});

describe('yes | head', () => {
  it('ends', async () => {
    const child = spawnSsh(door, 'yes | head -c 1000000', { ...on('now'), key: door.admin });
    expect((await collect(child)).stdout.length).toBe(1_000_000);
  });
});
