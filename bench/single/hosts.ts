/**
 * Registered hosts: `ssh -J` through the gateway beside `ssh -J` through OpenSSH's sshd, and sessions that the gateway
 * opens itself beside a direct ssh, also over 100 ms of way on either side of the gateway. All processes share the machine.
 */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DelayingProxy, startDelayingProxy } from '../support/delaying-proxy.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { interleave, type Measured } from '../support/measure.ts';
import { type OpensshServer, startOpensshServer } from '../support/openssh-server.ts';

const mib = Number(process.env['MIB'] ?? 256);
const farMib = Number(process.env['FAR_MIB'] ?? 64);
const rounds = Number(process.env['ROUNDS'] ?? 7);
const delayMs = 50;
const chunk = Buffer.alloc(1024 * 1024);

const host = await startOpensshServer();
const bastion = await startOpensshServer();
const gateway = await startGatewayProcess();
const proxies: DelayingProxy[] = [];
const far = async (port: number) => {
  const proxy = await startDelayingProxy(port, delayMs);
  proxies.push(proxy);
  return proxy.port;
};
try {
  const hostFar = await far(host.port);
  register('near', host, host.port);
  register('far', host, hostFar);
  const config = writeConfig({ hostFar, gatewayFar: await far(gateway.port) });
  const ssh = (...args: readonly string[]) => ['-F', config, ...args];
  const jumps = (hop: string) => ssh('-J', hop, 'host');

  await compare('ssh -J, connect to prompt', 0.7, [
    run(jumps('gateway'), 'true'),
    run(jumps('bastion'), 'true'),
  ]);
  for (const [way, transfer] of Object.entries({ down, up })) {
    const pair = (ours: readonly string[], theirs: readonly string[], size = mib) => [
      transfer(ours, size),
      transfer(theirs, size),
    ];
    const direct = ssh('host');
    await compare(`ssh -J, ${mib} MiB ${way}`, 1 / 0.95, pair(jumps('gateway'), jumps('bastion')));
    await compare(`through the gateway, ${mib} MiB ${way}`, 1 / 0.6, pair(ssh('near'), direct));
    const title = `100 ms, ${farMib} MiB ${way}`;
    const directFar = ssh('host-far');
    await compare(`${title}, gateway beside the host`, 1 / 0.9, pair(ssh('gateway-far'), directFar, farMib));
    await compare(`${title}, gateway beside the person`, 1 / 0.9, pair(ssh('far'), directFar, farMib));
  }
} finally {
  for (const proxy of proxies) proxy.stop();
  gateway.stop();
  host.stop();
  bastion.stop();
}

function register(name: string, { key }: OpensshServer, port: number): void {
  const folder = join(gateway.folder, 'data/identities');
  mkdirSync(folder, { recursive: true });
  copyFileSync(key, join(folder, name));
  chmodSync(join(folder, name), 0o600);
  const line = `host add ${name} root@127.0.0.1:${port} --identity-file=${name}`;
  execFileSync('ssh', [...gateway.sshArgs, 'admin@127.0.0.1', line]);
}

function writeConfig({ hostFar, gatewayFar }: { hostFar: number; gatewayFar: number }): string {
  const gatewayKey = join(gateway.folder, 'id');
  const known = join(gateway.folder, 'known_hosts');
  const block = (name: string, port: number, user: string, key: string, alias: number) =>
    `Host ${name}\n  HostName 127.0.0.1\n  Port ${port}\n  User ${user}\n  IdentityFile ${key}\n  HostKeyAlias [127.0.0.1]:${alias}\n`;
  const files = [known, host.knownHosts, bastion.knownHosts];
  const all = join(gateway.folder, 'all_known_hosts');
  writeFileSync(all, files.map((file) => readFileSync(file, 'utf8')).join(''));
  const config = join(gateway.folder, 'config');
  writeFileSync(
    config,
    [
      block('gateway', gateway.port, 'somebody', gatewayKey, gateway.port),
      block('bastion', bastion.port, 'root', bastion.key, bastion.port),
      block('host', host.port, 'root', host.key, host.port),
      block('host-far', hostFar, 'root', host.key, host.port),
      block('near', gateway.port, 'rexec-near', gatewayKey, gateway.port),
      block('far', gateway.port, 'rexec-far', gatewayKey, gateway.port),
      block('gateway-far', gatewayFar, 'rexec-near', gatewayKey, gateway.port),
      `Host *\n  UserKnownHostsFile ${all}\n  IdentitiesOnly yes\n  LogLevel ERROR\n`,
    ].join(''),
  );
  return config;
}

interface Transfer {
  readonly name: string;
  readonly run: () => Promise<void>;
}

function run(args: readonly string[], command: string): Transfer {
  return { name: args.slice(2).join(' '), run: () => ended(args, command) };
}

function down(args: readonly string[], size: number): Transfer {
  return run(args, `head -c ${size * chunk.length} /dev/zero`);
}

function up(args: readonly string[], size: number): Transfer {
  return { name: args.slice(2).join(' '), run: () => ended(args, 'cat > /dev/null', size) };
}

async function ended(args: readonly string[], command: string, upMib = 0): Promise<void> {
  const child = spawn('ssh', [...args, command], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdout.resume();
  const status = new Promise((resolve) => child.once('close', resolve));
  for (let sent = 0; sent < upMib; sent++) {
    if (!child.stdin.write(chunk)) await new Promise((resolve) => child.stdin.once('drain', resolve));
  }
  child.stdin.end();
  if ((await status) !== 0) throw new Error(`ssh ${args.join(' ')} failed`);
}

/** Bars are ratios of times; a throughput of 0.95 is a time of 1/0.95. */
async function compare(title: string, bar: number, contenders: readonly Transfer[]): Promise<void> {
  const measured = await interleave(contenders, rounds);
  const [ours, theirs] = measured as [Measured, Measured];
  const ratio = ours.medianMs / theirs.medianMs;
  const kept = ratio <= bar;
  console.log(`${title}: ${ours.medianMs.toFixed(0)} ms, theirs ${theirs.medianMs.toFixed(0)} ms`);
  const speed = `speed ${(1 / ratio).toFixed(2)} of theirs`;
  console.log(
    `  time ratio ${ratio.toFixed(2)} (${speed}), bar ≤ ${bar.toFixed(2)}: ${kept ? 'kept' : 'MISSED'}`,
  );
  if (!kept) process.exitCode = 1;
}
