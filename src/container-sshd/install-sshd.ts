/** Installs an SSH server in a container by the image's own package manager, makes it safe to start, and starts it. */
import type { Writable } from 'node:stream';
import { GatewayError, isGatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';
import { printable } from '../platform/printable.ts';
import type { Slots } from '../platform/slots.ts';
import type { ContainerEngine, ContainerTarget } from '../targets/target.ts';
import {
  detectScript,
  forbidPasswordsScript,
  prepareScript,
  startScript,
  stepScript,
} from './install-scripts.ts';
import { type PackageManager, packageManagers } from './package-managers.ts';

export interface InstallOptions {
  /** Where the programs' output goes as it comes. */
  readonly progress?: Writable;
  /** Ends the installation. */
  readonly closed: AbortSignal;
}

const setUp: readonly Step[] = [
  { name: 'setting up sshd', script: prepareScript, args: [] },
  { name: 'starting sshd', script: startScript, args: [] },
];

interface Step {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
}

/** Also for somebody who watches: a package manager that never ends is ended. */
const stepWithinMs = 1_800_000;
const maxOutputBytes = 64 * 1024;
const lastLines = 10;

export type InstallSshd = (target: ContainerTarget, options: InstallOptions) => Promise<void>;

/** Throws install-running, no-package-manager, install-failed, and what `runScript` throws. */
export function createInstallSshd(engine: Pick<ContainerEngine, 'runScript'>, slots: Slots): InstallSshd {
  const run = async (target: ContainerTarget, { name, script, args }: Step, options: InstallOptions) => {
    const end = await engine.runScript(target, {
      ...options,
      script,
      args,
      user: 'root',
      withinMs: stepWithinMs,
      maxOutputBytes,
    });
    if (end.exitStatus === 0) return end.stdout.toString('latin1');
    const failure = {
      name: target.name,
      step: name,
      exitStatus: end.exitStatus,
      lastLines: readable(end.lastOutput),
    };
    throw new GatewayError('install-failed', failure);
  };

  const install = async (target: ContainerTarget, options: InstallOptions) => {
    const manager = await findManager(target, options);
    const packages = manager.steps.map((args) => ({ name: args.join(' '), script: stepScript, args }));
    const forbid = { name: 'forbidding passwords', script: forbidPasswordsScript, args: [] };
    for (const step of [forbid, ...packages, ...setUp]) await run(target, step, options);
  };

  const findManager = async (
    target: ContainerTarget,
    { closed }: InstallOptions,
  ): Promise<PackageManager> => {
    const args = packageManagers.map(({ name }) => name);
    const step = { name: 'looking for a package manager', script: detectScript, args };
    const found = (await run(target, step, { closed }).catch(withoutShell)).trim();
    const manager = packageManagers.find(({ name }) => name === found);
    if (manager) return manager;
    throw new GatewayError('no-package-manager', { name: target.name });
  };

  return async (target, options) => {
    const giveBack = await slots.take(`sshd install ${target.id}`, 1);
    if (!giveBack) throw new GatewayError('install-running', { name: target.name });
    try {
      await install(target, options);
    } finally {
      giveBack();
    }
  };
}

function withoutShell(error: unknown): string {
  if (isGatewayError(error, 'no-shell')) return '';
  throw error;
}

const readable = (output: string) =>
  output
    .split('\n')
    .map((line) => printable(excerpt(line.trim(), 200)))
    .filter((line) => line !== '')
    .slice(-lastLines);
