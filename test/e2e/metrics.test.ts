/** /metrics of a gateway that does some of everything, read by a real Prometheus. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { freePort } from '../support/free-port.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { parseMetrics, readMetrics } from '../support/metrics-page.ts';
import { makeKeyPair, runProgram, spawnSsh } from '../support/ssh-client.ts';

const dashboardFile = new URL('../../deploy/grafana/postern.json', import.meta.url).pathname;

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

let api: Api;
let container: TestContainer;
const metrics = () => readMetrics(api.gateway.metricsAddress?.port);

beforeAll(async () => {
  container = await runContainer(images.busybox, ['--network=none']);
  api = await startApi({ config: { metricsListen: '127.0.0.1:0', perSourceMaxStartups: 5 } });
});
afterAll(async () => {
  await api.stop();
  await container.remove();
});

describe('what is counted', () => {
  it('logins by result, and why not', async () => {
    const before = await metrics();
    await api.ssh('whoami');
    await api.ssh('whoami', { key: await makeKeyPair() });
    const accepted = 'postern_logins_total{result="accepted",method="publickey",reason="none"}';
    await expect.poll(async () => (await metrics()).value(accepted)).toBe((before.value(accepted) ?? 0) + 1);
    await api.ask({ token: 'exe0.nobody', line: 'whoami' });
    const after = await metrics();
    expect(after.value('postern_logins_total{result="refused",method="token",reason="token"}')).toBe(1);
  });

  it('sessions by kind and how they ended, their bytes, and from request to program', async () => {
    const before = await metrics();
    const ended = (end: string) => `postern_sessions_ended_total{kind="container",start="exec",end="${end}"}`;
    expect((await api.ssh('printf 12345', { login: `rexec-${container.name}` })).status).toBe(0);
    expect((await api.ssh('exit 3', { login: `rexec-${container.name}` })).status).toBe(3);
    await expect.poll(async () => (await metrics()).value(ended('failure'))).toBe(1);
    const after = await metrics();
    expect(after.value(ended('success'))).toBe(1);
    expect(after.value('postern_sessions_open{kind="container"}')).toBe(0);
    const bytes = 'postern_session_bytes_total{direction="out"}';
    expect((after.value(bytes) ?? 0) - (before.value(bytes) ?? 0)).toBeGreaterThanOrEqual(5);
    expect(after.sum('postern_program_start_seconds_count')).toBe(2);
    const asked = 'postern_docker_request_duration_seconds_count{operation="createExec"}';
    expect(after.value(asked)).toBeGreaterThanOrEqual(1);
  });

  it('sessions that are open, with the bytes that they have carried so far', async () => {
    const before = await metrics();
    const bytes = 'postern_session_bytes_total{direction="out"}';
    const login = `rexec-${container.name}`;
    const running = spawnSsh(api, 'head -c 100000 /dev/zero; cat', { key: api.admin, login });
    running.stdout?.resume();
    const left = once(running, 'close');
    await expect
      .poll(async () => ((await metrics()).value(bytes) ?? 0) - (before.value(bytes) ?? 0), {
        timeout: 10_000,
      })
      .toBeGreaterThanOrEqual(100_000);
    const during = await metrics();
    expect(during.value('postern_sessions_open{kind="container"}')).toBe(1);
    expect(during.value('postern_connections_open{kind="ssh"}')).toBe(1);
    running.stdin?.end();
    await left;
    await expect.poll(async () => (await metrics()).value('postern_sessions_open{kind="container"}')).toBe(0);
    // Counted once, though they were read while it ran and when it had ended.
    const after = ((await metrics()).value(bytes) ?? 0) - (before.value(bytes) ?? 0);
    expect(after).toBeGreaterThanOrEqual(100_000);
    expect(after).toBeLessThan(110_000);
  });

  it('HTTP by route and status, and what the store did', async () => {
    const token = await api.apiKey('--label=metrics');
    await api.ask({ token, line: 'whoami' });
    const after = await metrics();
    expect(after.value('postern_http_requests_total{route="/exec",method="POST",status="200"}')).toBe(1);
    expect(after.value('postern_store_duration_seconds_count{operation="flush"}')).toBeGreaterThan(0);
    expect(after.value('postern_store_duration_seconds_count{operation="transaction"}')).toBeGreaterThan(0);
    expect(after.sum('postern_store_failures_total')).toBe(0);
  });

  it('connections that were refused, and why', async () => {
    const { port } = api;
    const refused = 'postern_connections_refused_total{reason="per_source_max_startups"}';
    const sockets = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    await expect.poll(async () => (await metrics()).value(refused)).toBe(3);
    for (const socket of sockets) socket.destroy();
    await expect.poll(async () => (await metrics()).value('postern_connections_open{kind="ssh"}')).toBe(0);
  });

  it('the process, its event loop, and what runs', async () => {
    const { names, text } = await metrics();
    expect(names).toContain('process_resident_memory_bytes');
    expect(names).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(text).toMatch(/^postern_build_info\{version="\d+\.\d+\.\d+[^"]*",node="24\./m);
  });
});

describe('hostile-labels: what strangers and members choose', () => {
  it('makes no series of its own, and is nowhere on the page', async () => {
    await metrics();
    // By which calls and ways a program starts changes from one to the next.
    const counted = /^postern_(?!docker_|program_)/;
    const series = (text: string) => text.split('\n').filter((line) => counted.test(line)).length;
    const tryAll = async (mark: string) => {
      await api.ssh('whoami', { login: `rexec-${mark}` });
      await api.ssh(`${mark} --${mark}`);
      await api.ssh(`kill -${mark} $$; exit 7 # ${mark}`, { login: `rexec-${container.name}` });
      await api.ask({ path: `/${mark}?${mark}`, token: `exe0.${mark}.${mark}`, line: mark });
      await api.ask({ path: '/exec', args: ['-X', mark.toUpperCase(), '-H', `Host: ${mark}.gw.example`] });
      await api.ssh(`host add ${mark} 127.0.0.1:1 --user=${mark}`);
      await api.ssh(`account create ${mark}`);
    };
    await tryAll('zebra');
    const { text: before } = await metrics();
    await tryAll('quagga');
    const { text: after } = await metrics();
    expect(after).not.toMatch(/zebra|quagga/i);
    expect(after).not.toContain(container.name);
    expect(series(after)).toBe(series(before));
  });
});

describe('the listener', () => {
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${api.gateway.metricsAddress?.port}${path}`, init);

  it('answers GET /metrics and nothing else', async () => {
    const answer = await ask('/metrics');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(parseMetrics(await answer.text()).names.size).toBeGreaterThan(40);
    expect((await ask('/')).status).toBe(404);
    expect((await ask('/exec', { method: 'POST', body: 'whoami' })).status).toBe(404);
    expect((await ask('/metrics', { method: 'POST', body: 'x' })).status).toBe(405);
  });

  it('is not what answers on the other listeners', async () => {
    expect((await fetch(`${api.url}/metrics`)).status).toBe(404);
  });

  it('off loopback is refused, unless the operator says so', () => {
    const flags = { metricsListen: '0.0.0.0:9222' };
    expect(() => loadConfig({ env: {}, flags })).toThrow(
      'whoever reaches 0.0.0.0:9222 could read how this gateway is used: listen on 127.0.0.1, or, where other machines may read it, say --metrics-off-loopback.',
    );
    expect(loadConfig({ env: {}, flags: { ...flags, metricsOffLoopback: true } }).config.metricsListen).toBe(
      '0.0.0.0:9222',
    );
  });
});

describe('the dashboard, over a Prometheus that scrapes this gateway', () => {
  let folder: string;
  let prometheus: ChildProcess;
  let prometheusUrl: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-prometheus-'));
    const port = await freePort();
    prometheusUrl = `http://127.0.0.1:${port}`;
    const target = `127.0.0.1:${api.gateway.metricsAddress?.port}`;
    const scrapes = [{ job_name: 'postern', scrape_interval: '1s', static_configs: [{ targets: [target] }] }];
    await writeFile(join(folder, 'prometheus.yml'), JSON.stringify({ scrape_configs: scrapes }));
    const flags = [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    prometheus = spawn('prometheus', flags, { stdio: 'ignore' });
  });
  afterAll(async () => {
    const exited = once(prometheus, 'exit');
    prometheus.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  });

  const query = async (expr: string) => {
    const answer = await fetch(`${prometheusUrl}/api/v1/query?${new URLSearchParams({ query: expr })}`);
    return (await answer.json()) as { status: string; error?: string; data: { result: readonly unknown[] } };
  };
  const expressions = async () => {
    const { panels } = JSON.parse(await readFile(dashboardFile, 'utf8')) as Dashboard;
    return panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  };

  it('takes the page as it is', async () => {
    const up = async () => JSON.stringify((await query('up').catch(() => undefined))?.data.result);
    await expect.poll(up, { timeout: 60_000 }).toMatch(/"1"/);
    const { text } = await metrics();
    await writeFile(join(folder, 'page'), text);
    const checked = await runProgram('sh', ['-c', 'promtool check metrics < "$0"', join(folder, 'page')]);
    expect(checked.text + checked.stderr).not.toMatch(/postern_/);
  });

  it('asks for metrics that there are, in queries that Prometheus takes', async () => {
    const { names } = await metrics();
    const all = await expressions();
    expect(all.length).toBeGreaterThan(30);
    for (const expr of all) {
      const asked = [...expr.matchAll(/\b(?:postern|process|nodejs)_\w+/g)].map(([name]) => name);
      expect(asked.length).toBeGreaterThan(0);
      for (const name of asked) expect(names).toContain(name);
      const concrete = expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m');
      expect(await query(concrete)).toMatchObject({ status: 'success' });
    }
    // A scrape that was too late leaves nothing until the next.
    await expect
      .poll(async () => (await query('postern_connections_open{instance=~".*"}')).data.result)
      .not.toEqual([]);
  });

  it('is one that Grafana loads: panels with places, kinds and ids of their own', async () => {
    const dashboard = JSON.parse(await readFile(dashboardFile, 'utf8'));
    expect(dashboard).toMatchObject({
      title: 'Postern',
      schemaVersion: expect.any(Number),
      time: { from: expect.any(String), to: expect.any(String) },
      templating: { list: expect.any(Array) },
    });
    const ids = dashboard.panels.map(({ id }: { id: number }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { type, gridPos, targets, fieldConfig } of dashboard.panels) {
      expect(['row', 'stat', 'timeseries']).toContain(type);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      if (type === 'row') continue;
      expect(fieldConfig).toMatchObject({ defaults: { unit: expect.any(String) }, overrides: [] });
      for (const target of targets)
        expect(target.datasource).toEqual({ type: 'prometheus', uid: `$${'{datasource}'}` });
    }
  });
});
