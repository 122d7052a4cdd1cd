import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { findProgram } from '../../../scripts/debian-packages.mjs';
import { engineAnswers } from '../engine.ts';
import { keepBridgeAddress } from './bridge-address.ts';
import { mountCgroups } from './cgroups.ts';

const usual = 'unix:///var/run/docker.sock';
const runFolder = '/var/run/postern-test';
const own = `unix://${runFolder}/docker.sock`;
const dataFolder = '/var/lib/postern-test-docker';
const logFile = '/var/log/postern-test-dockerd.log';

/** From what a usual machine allows to what a narrow one does. */
const networks = [[], ['--iptables=false', '--ip6tables=false'], ['--iptables=false', '--bridge=none']];

/** Finds an engine that answers: DOCKER_HOST's, the machine's, or one left by an earlier run. */
export async function findEngine(): Promise<string | undefined> {
  for (const host of [process.env['DOCKER_HOST'], usual, own]) {
    if (host && (await engineAnswers(host))) return host;
  }
  return undefined;
}

/**
 * Starts an engine of the tests' own, with its own data, and returns its DOCKER_HOST. It goes on
 * running after the tests: another run may be using it, and the next one starts faster.
 */
export async function startEngine(): Promise<string> {
  if (process.getuid?.() !== 0) {
    throw new Error(
      'the tests need a Docker Engine and none answers: start one (sudo systemctl start docker, or sudo dockerd), see that you may use it (sudo usermod -aG docker $USER), or run the tests as root',
    );
  }
  mountCgroups();
  for (const network of networks) {
    const daemon = spawnDaemon(network);
    if (await answersBefore(daemon, 60_000)) {
      keepBridgeAddress();
      console.error(`postern: started a Docker Engine at ${own}; to stop it: kill ${daemon.pid}`);
      return own;
    }
  }
  throw new Error(`no Docker Engine runs and dockerd does not start:\n${tailOf(logFile)}`);
}

function spawnDaemon(network: readonly string[]): ChildProcess {
  mkdirSync(runFolder, { recursive: true });
  const log = openSync(logFile, 'a');
  const daemon = spawn(
    findProgram('dockerd') ?? 'dockerd',
    [
      ...['--host', own, '--data-root', dataFolder, '--exec-root', `${runFolder}/exec`],
      ...['--pidfile', `${runFolder}/docker.pid`, ...network],
    ],
    // Its own session and no pipe of ours: it must neither die nor hang with whoever runs the tests.
    { detached: true, stdio: ['ignore', log, log], cwd: '/' },
  );
  closeSync(log);
  daemon.unref();
  return daemon;
}

async function answersBefore(daemon: ChildProcess, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline && daemon.exitCode === null && daemon.signalCode === null) {
    if (await engineAnswers(own)) return true;
    await delay(100);
  }
  daemon.kill();
  return false;
}

function tailOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').slice(-3000) : '';
}
