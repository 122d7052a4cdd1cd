/**
 * `POST /exec` with `whoami` and an exe1 token, beside a fastify that says hello: requests a second, asked by wrk.
 * Aim: 1,000/s on one core; bar: 500/s.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { startHello } from '../support/hello-server.ts';
import { median } from '../support/measure.ts';

const rounds = Number(process.env['ROUNDS'] ?? 7);
const bar = 500;
const gateway = await startGatewayProcess([
  '--http-listen=127.0.0.1:0',
  `--config=${writeConfig({ tokenRatePerSecond: 1_000_000, tokenRateBurst: 1_000_000 })}`,
]);
const hello = await startHello();
try {
  const token = execFileSync('ssh', [...gateway.sshArgs, 'x@127.0.0.1', 'ssh-key generate-api-key'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const script = join(gateway.folder, 'exec.lua');
  writeFileSync(script, askWhoami(token.toString().trim()), { mode: 0o600 });
  const contenders = [
    { name: 'POST /exec whoami (exe1, ed25519)', run: () => wrk(`${gateway.httpUrl}/exec`, script) },
    { name: hello.name, run: () => wrk(hello.url, script) },
  ];
  const rates = contenders.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, { run }] of contenders.entries()) {
      const rate = run();
      if (round >= 0) rates[index]?.push(rate);
    }
  }
  console.log('\nRequests a second, one core each');
  const medians = rates.map((of, index) => {
    const sorted = of.toSorted((a, b) => a - b);
    const middle = median(sorted);
    const spread = `${sorted[0]?.toFixed(0)}–${sorted.at(-1)?.toFixed(0)}`;
    console.log(`  ${contenders[index]?.name.padEnd(44)} median ${middle.toFixed(0)}/s  (${spread})`);
    return middle;
  });
  const [ours, theirs] = medians as [number, number];
  console.log(`  ratio ${(ours / theirs).toFixed(2)}; bar ≥ ${bar}/s: ${ours >= bar ? 'kept' : 'MISSED'}`);
  if (ours < bar) process.exitCode = 1;
} finally {
  hello.stop();
  gateway.stop();
}

/** Sixteen connections for three seconds. Every answer must be a 200. */
function wrk(url: string, script: string): number {
  const text = execFileSync('wrk', ['-t1', '-c16', '-d3s', '-s', script, url], { encoding: 'utf8' });
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(text);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
}

function askWhoami(token: string): string {
  return `wrk.method = "POST"\nwrk.body = "whoami"\nwrk.headers["Authorization"] = "Bearer ${token}"\n`;
}

function writeConfig(values: object): string {
  const file = join(process.env['TMPDIR'] ?? '/tmp', `postern-bench-${process.pid}.json`);
  writeFileSync(file, JSON.stringify(values));
  return file;
}
