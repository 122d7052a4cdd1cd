/** `npm run bench` in its quick version: against the same servers, with numbers too small to say anything. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startPostern } from '../../bench/peers/postern.ts';
import { startGatewayProcess } from '../../bench/support/gateway-process.ts';
import { runContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { makeKeyPair } from '../support/ssh-client.ts';

const run = promisify(execFile);
const root = new URL('../..', import.meta.url).pathname;
/** Under a minute, and nearly four with ten other programs on each processor. One that is late says how far it came. */
const withinMs = 420_000;

let out: string;
let printed: string;

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'postern-bench-out-'));
  const args = ['run', 'bench', '--', '--quick', '--out', out];
  ({ stdout: printed } = await run('npm', args, { cwd: root, timeout: withinMs }));
}, withinMs + 10_000);
afterAll(() => rm(out, { recursive: true, force: true }));

const servers = ["OpenSSH's sshd", 'dropbear', 'tinysshd', 'asyncssh', 'Go (gliderlabs/ssh)', 'docker exec'];

it('the bench measures every server that it names, and writes down which version each is', async () => {
  const page = await readFile(join(out, 'RESULTS.md'), 'utf8');
  for (const server of servers) {
    expect(printed).toContain(server);
    const version = page.split(`\n| ${server} | `)[1]?.split(' |')[0];
    expect(version).toMatch(/\d/);
  }
});

it('the bench holds the gateway against every bar whose figure it has', () => {
  const bars = printed.slice(printed.indexOf('\nBars')).match(/^ {2}.*(kept|MISSED)$/gm) ?? [];
  expect(bars.length).toBeGreaterThanOrEqual(14);
  for (const line of bars) expect(line).not.toMatch(/NaN|–/);
});

it('the bench draws a plot for each table, as well-formed SVG that a page can show', async () => {
  const page = await readFile(join(out, 'RESULTS.md'), 'utf8');
  const plots = await readdir(join(out, 'plots'));
  expect(plots.length).toBe(page.match(/^## (?!Bars)/gm)?.length);
  const files = plots.map((plot) => join(out, 'plots', plot));
  const parse =
    'import sys, xml.dom.minidom as dom\nfor file in sys.argv[1:]: print(dom.parse(file).documentElement.tagName)';
  const { stdout } = await run('python3', ['-c', parse, ...files]);
  expect(stdout).toBe('svg\n'.repeat(plots.length));
  for (const plot of plots) {
    expect(page).toContain(`(plots/${plot})`);
    expect(await readFile(join(out, 'plots', plot), 'utf8')).not.toMatch(/NaN|Infinity/);
  }
});

it('throw-away-key: that of a bench comes into no container that somebody keeps in step on this engine', async () => {
  const container = await runContainer(images.busybox, ['--label', 'rexec.sync=true', '--user', 'app']);
  vi.stubEnv('POSTERN_SYNC', undefined);
  const admin = await makeKeyPair();
  const gateways = [await startGatewayProcess(), await startPostern(admin.file)] as const;
  const own = (await readFile(join(gateways[0].folder, 'id.pub'), 'utf8')).trim();
  vi.unstubAllEnvs();
  await pause(3_000);
  // Other tests keep such containers in step meanwhile.
  const file = await container.sh('cat /home/app/.ssh/authorized_keys 2>/dev/null || true');
  for (const gateway of gateways) await gateway.stop();
  await container.remove();
  for (const key of [own, admin.publicKey]) expect(file).not.toContain(key.split(' ')[1]);
});
