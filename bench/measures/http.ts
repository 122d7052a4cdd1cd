/** `POST /exec`: requests a second. */
import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sshArgs } from '../peers/peer.ts';
import { hasWorkers, type RunningGateway, startPostern } from '../peers/postern.ts';
import type { Table } from '../report/table.ts';
import { startHello } from '../support/hello-server.ts';
import { type Bench, byLength, inTurns, type Measure, rowsOf, withRunning } from './measure.ts';

async function startExec(key: string, workers?: number) {
  const gateway = await startPostern(key, workers === undefined ? {} : { workers });
  return { name: gateway.name, url: `${gateway.httpUrl}/exec`, stop: gateway.stop, gateway };
}

/** For an exe1 token of the key's account, which each request carries. */
function writeScript(gateway: RunningGateway): string {
  const args = [...sshArgs(gateway), '127.0.0.1', 'ssh-key generate-api-key'];
  const token = execFileSync('ssh', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  const script = join(gateway.folder, 'exec.lua');
  const lines = [
    'wrk.method = "POST"',
    'wrk.body = "whoami"',
    `wrk.headers["Authorization"] = "Bearer ${token}"`,
  ];
  writeFileSync(script, lines.join('\n'), { mode: 0o600 });
  return script;
}

const run = promisify(execFile);

/** Every answer must be a 200. */
async function askedBy(script: string, url: string, connections: number, seconds: number): Promise<number> {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, url];
  const { stdout } = await run('wrk', args);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(stdout);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
}

async function measure(bench: Bench): Promise<Table[]> {
  const connections = byLength(bench, { quick: [1, 4], usual: [1, 16, 64], long: [1, 4, 16, 64, 256] });
  const seconds = byLength(bench, { quick: 1, usual: 1, long: 5 });
  const starts = (hasWorkers() ? [1, 2] : [undefined]).map((workers) => () => startExec(bench.key, workers));
  return withRunning(starts, (gateways) =>
    withRunning([startHello], async ([hello]) => {
      const asked = [
        ...gateways.map(({ name, url, gateway }) => ({ name, url, script: writeScript(gateway) })),
        ...(hello && gateways[0] ? [{ ...hello, script: join(gateways[0].gateway.folder, 'exec.lua') }] : []),
      ];
      const contenders = connections.flatMap((count) =>
        asked.map(({ name, url, script }) => ({
          name,
          at: count,
          run: () => askedBy(script, url, count, seconds),
        })),
      );
      return [
        {
          id: 'http-exec',
          title: 'POST /exec, requests a second',
          unit: '/s',
          better: 'more',
          along: 'connections',
          method: '`whoami` with an exe1 token, asked by wrk; beside it a fastify that only says hello.',
          rows: rowsOf(await inTurns(bench, 'POST /exec', contenders), (rate) => rate),
        } as const,
      ];
    }),
  );
}

export const http: Measure = { name: 'http', run: measure };
