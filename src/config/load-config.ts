/** From environment, file and flags to one checked, frozen Config; later sources win. */
import { readFileSync } from 'node:fs';
import { GatewayError } from '../errors.ts';
import { systemReason } from '../platform/system-reason.ts';
import { checkHttp, checkMetrics } from './check-http.ts';
import { type Config, configSchema } from './config.ts';
import { findFaultyLine, findLineOfKey } from './json-lines.ts';
import { problemOf } from './problem-of.ts';
import { holdsPassword } from './store-url.ts';

type Values = Record<string, unknown>;

export interface ConfigSources {
  /** Flags given on the command line, by config key. */
  readonly flags: Values;
  readonly env: NodeJS.ProcessEnv;
  /** A JSON file of config keys. */
  readonly file?: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** POSTERN_ variables that mean nothing. Not an error: Kubernetes sets such ones for a service of this name. */
  readonly unknownVariables: readonly string[];
}

/** Throws invalid-config, naming the key and where it came from. */
export function loadConfig({ flags, env, file }: ConfigSources): LoadedConfig {
  const fromEnv = readEnvironment(env);
  const fromFile = file === undefined ? undefined : readFile(file);
  const values: Values = { ...fromEnv.values, ...fromFile?.values, ...defined(flags) };
  const parsed = configSchema.safeParse(values, { error: problemOf });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : undefined;
    const key = String(issue?.code === 'unrecognized_keys' ? issue.keys[0] : issue?.path[0]);
    const line = fromFile && !(key in defined(flags)) ? findLineOfKey(fromFile.text, key) : undefined;
    const where = line === undefined ? '' : ` (${file}, line ${line})`;
    const problem = unknown
      ? `unknown configuration key ${unknown}${where}; see the reference in README.md.`
      : `the configuration value ${issue?.path.join('.')}${where} is wrong: ${issue?.message}. It is set by ${namesOf(key)}.`;
    throw new GatewayError('invalid-config', { problem });
  }
  checkStoreFlag(flags);
  checkHttp(parsed.data);
  checkMetrics(parsed.data);
  return { config: deepFreeze(parsed.data), unknownVariables: fromEnv.unknown };
}

/** Whoever lists the processes of this machine reads their flags. */
function checkStoreFlag({ store }: Values): void {
  if (typeof store !== 'string' || !holdsPassword(store)) return;
  const problem =
    'a password in --store could be read by everybody on this machine: give the URL by POSTERN_STORE or in the configuration file, or the password alone by PGPASSWORD or PGPASSFILE.';
  throw new GatewayError('invalid-config', { problem });
}

const defined = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

function readFile(file: string): { readonly values: Values; readonly text: string } {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
    const values: unknown = JSON.parse(text);
    if (typeof values === 'object' && values !== null && !Array.isArray(values))
      return { values: values as Values, text };
    throw new Error('it is not a JSON object');
  } catch (error) {
    const isSyntax = error instanceof SyntaxError;
    const reason = isSyntax ? `line ${findFaultyLine(text)}: ${error.message}` : systemReason(error);
    const problem = `the configuration file ${file} cannot be used: ${reason}.`;
    throw new GatewayError('invalid-config', { problem }, { cause: error });
  }
}

/** The flags of `postern serve` that are configuration keys, by key. */
export const flagOfKey = {
  sshListen: 'ssh-listen',
  httpListen: 'http-listen',
  healthListen: 'health-listen',
  metricsListen: 'metrics-listen',
  metricsOffLoopback: 'metrics-off-loopback',
  tlsCert: 'tls-cert',
  tlsKey: 'tls-key',
  httpInsecure: 'http-insecure',
  store: 'store',
  dataDir: 'data',
  hostKeysDir: 'hostkeys',
  adminKeyFile: 'admin-key',
  docker: 'docker',
  domain: 'domain',
  publicPort: 'public-port',
  containers: 'containers',
  drainDelaySeconds: 'drain-delay',
  drainTimeoutSeconds: 'drain-timeout',
  logLevel: 'log-level',
  workers: 'workers',
} as const;

/** Where a key can be given, as people write it. */
function namesOf(key: string): string {
  const flag = (flagOfKey as Record<string, string | undefined>)[key];
  return `${flag === undefined ? '' : `--${flag}, `}${variableOf(key)} or the key in a configuration file`;
}

const variableOf = (key: string) =>
  `POSTERN_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
const keyOfVariable = new Map(Object.keys(configSchema.shape).map((key) => [variableOf(key), key]));

/** `POSTERN_SSH_LISTEN` is sshListen; numbers and lists are written as JSON. */
function readEnvironment(env: NodeJS.ProcessEnv): { values: Values; unknown: string[] } {
  const values: Values = {};
  const unknown: string[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('POSTERN_') || text === undefined) continue;
    const key = keyOfVariable.get(variable) as keyof typeof configSchema.shape | undefined;
    if (key === undefined) unknown.push(variable);
    else values[key] = configSchema.shape[key].safeParse(text).success ? text : jsonOr(text);
  }
  return { values, unknown };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}
