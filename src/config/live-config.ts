/** Which keys a reload changes, and the Config that everybody holds, whose values change with it. */
import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config.ts';

/**
 * `live`: whoever asks next gets the new value (limits of a connection: the next connection). `restart`: what listens,
 * where things lie, what things are called, and which of them there are, stays as it began.
 */
const effects = {
  sshListen: 'restart',
  httpListen: 'restart',
  healthListen: 'restart',
  metricsListen: 'restart',
  metricsOffLoopback: 'restart',
  tlsCert: 'restart',
  tlsKey: 'restart',
  httpInsecure: 'restart',
  tokenRatePerSecond: 'live',
  tokenRateBurst: 'live',
  execTimeoutMs: 'live',
  execSessionTimeoutMs: 'live',
  store: 'restart',
  storeCacheSeconds: 'live',
  gatewayName: 'restart',
  dataDir: 'restart',
  hostKeysDir: 'restart',
  adminKeyFile: 'restart',
  docker: 'restart',
  domain: 'restart',
  publicPort: 'live',
  targetPrefix: 'restart',
  containers: 'restart',
  membersMayAddHosts: 'live',
  keyFeed: 'live',
  sync: 'live',
  maxKeysPerAccount: 'live',
  inviteExpiryDays: 'live',
  mfaRememberHours: 'live',
  acceptEnv: 'live',
  loginGraceTimeMs: 'live',
  maxStartups: 'live',
  perSourceMaxStartups: 'live',
  perSourceNetBlockSize: 'live',
  perSourcePenalties: 'live',
  perSourcePenaltyExemptList: 'live',
  bridgeAddress: 'live',
  proxyProtocolFrom: 'live',
  trustedProxies: 'live',
  maxAuthTries: 'live',
  maxKeyProbes: 'live',
  maxConnections: 'live',
  maxConnectionsPerAccount: 'live',
  maxSessionsPerConnection: 'live',
  maxForwardsPerConnection: 'live',
  maxSessionsPerAccount: 'live',
  keepaliveIntervalMs: 'live',
  keepaliveCountMax: 'live',
  hostConnectTimeoutMs: 'live',
  rekeyAfterBytes: 'live',
  rekeyAfterMs: 'live',
  auditFileBytes: 'live',
  auditKeptFiles: 'live',
  auditRequired: 'live',
  recordings: 'live',
  recordingInput: 'live',
  recordingExecBytes: 'live',
  recordingFileBytes: 'live',
  recordingsMaxBytes: 'live',
  recordingsKeptDays: 'live',
  hangupGraceMs: 'live',
  preparedIdleSeconds: 'restart',
  drainDelaySeconds: 'live',
  drainTimeoutSeconds: 'live',
  workers: 'restart',
  logLevel: 'live',
} as const satisfies Record<keyof Config, 'live' | 'restart'>;

type Key = keyof Config;
const keys = Object.keys(effects) as Key[];

export interface ConfigChanges {
  /** In force from now on. */
  readonly applied: readonly Key[];
  /** Changed, and in force after a restart. */
  readonly waiting: readonly Key[];
}

export interface LiveConfig {
  /**
   * For whoever reads configuration: each property is the value of now. Who takes it apart or copies it keeps what it was;
   * so a value that is live is read where it is used, and options made of it are made with getters.
   */
  readonly config: Config;
  /** Takes over what is live of `next`. */
  replace(next: Config): ConfigChanges;
  /** Called after each `replace`, by those who must act upon it; there is no end to a subscription. */
  onReplace(listener: () => void): void;
}

/** `initial` is frozen, as loadConfig makes it. */
export function createLiveConfig(initial: Config): LiveConfig {
  let current = initial;
  const listeners: (() => void)[] = [];
  const getters = keys.map((key) => [key, { get: () => current[key], enumerable: true }] as const);
  return {
    config: Object.freeze(Object.defineProperties({}, Object.fromEntries(getters))) as Config,
    replace(next) {
      const changed = keys.filter((key) => !isDeepStrictEqual(current[key], next[key]));
      const applied = changed.filter((key) => effects[key] === 'live');
      current = Object.freeze({ ...current, ...Object.fromEntries(applied.map((key) => [key, next[key]])) });
      for (const listener of listeners) listener();
      return { applied, waiting: changed.filter((key) => effects[key] === 'restart') };
    },
    onReplace: (listener) => void listeners.push(listener),
  };
}
