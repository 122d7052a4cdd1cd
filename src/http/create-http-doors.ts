/** The doors behind the HTTP listeners that the configuration asks for. */
import type { Logger } from 'pino';
import type { FindKeyFeed } from '../accounts/key-feed.ts';
import type { Audit } from '../audit/audit.ts';
import type { TokenAuthenticator } from '../auth/token-authenticator.ts';
import type { ExchangeToken } from '../auth/token-exchange.ts';
import type { TokenRate } from '../auth/token-rate.ts';
import { createApi } from '../commands/api.ts';
import type { CallLine } from '../commands/call-line.ts';
import type { Config } from '../config/config.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Clock } from '../platform/clock.ts';
import type { Slots } from '../platform/slots.ts';
import type { Connections, LiveConnection } from '../sessions/connections.ts';
import type { ReachWeb } from '../sessions/reach-web.ts';
import { createCollectedBytes } from './collected-bytes.ts';
import { createContainerPassage } from './container-passage/create-container-passage.ts';
import { type AddRoutes, createHttpDoor, type HttpDoor, type HttpDoorOptions } from './http-door.ts';
import { createProxiesInFront } from './proxies-in-front.ts';

/** Of what tells how the gateway is. */
export interface HealthDependencies {
  readonly config: Config;
  readonly log: Logger;
  readonly meter: Meter;
  readonly engineAnswers: () => Promise<boolean>;
  readonly isDraining: () => boolean;
  /** Nobody is to ask again by the same connection; unset: while it drains. */
  readonly answersLast?: () => boolean;
}

export interface CommandsDependencies extends HealthDependencies {
  readonly clock: Clock;
  readonly audit: Audit;
  readonly tokens: TokenAuthenticator;
  readonly keyFeed: FindKeyFeed;
  readonly exchangeToken: ExchangeToken;
  readonly callLine: CallLine;
  readonly addConnection: (connection: LiveConnection) => () => void;
  readonly connections: Connections;
  readonly slots: Slots;
  readonly tokenRate: TokenRate;
  readonly reachWeb: ReachWeb;
  readonly addRoutes?: AddRoutes;
}

/** Of commands and containers. Throws invalid-config when its TLS files cannot be used. */
export function createCommandsDoor(dependencies: CommandsDependencies): Promise<HttpDoor> {
  const { config, addRoutes, keyFeed } = dependencies;
  const { domain, tlsCert: certFile, tlsKey: keyFile } = config;
  return createHttpDoor({
    ...healthOf(dependencies),
    tls: certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined,
    passage: createContainerPassage({
      ...dependencies,
      domain,
      get maxSessionsPerAccount() {
        return config.maxSessionsPerAccount;
      },
    }),
    proxies: createProxiesInFront(config),
    addRoutes,
    keyFeed,
    exec: execOf(dependencies),
  });
}

/** Of `/healthz` and `/readyz` alone. */
export const createHealthDoor = (dependencies: HealthDependencies): Promise<HttpDoor> =>
  createHttpDoor(healthOf(dependencies));

const healthOf = ({
  config,
  log,
  meter,
  engineAnswers,
  isDraining,
  answersLast = isDraining,
}: HealthDependencies): HttpDoorOptions => ({
  config,
  log,
  meter,
  engineAnswers,
  isDraining,
  answersLast,
});

function execOf(dependencies: CommandsDependencies) {
  const { config, callLine, addConnection, tokenRate } = dependencies;
  return {
    api: createApi({
      ...dependencies,
      rate: tokenRate,
      get commandTimeoutMs() {
        return config.execTimeoutMs;
      },
      get longCommandTimeoutMs() {
        return config.execSessionTimeoutMs;
      },
    }),
    callLine,
    addConnection,
    get commandTimeoutMs() {
      return config.execTimeoutMs;
    },
    get sessionTimeoutMs() {
      return config.execSessionTimeoutMs;
    },
    collectedBytes: createCollectedBytes(maxCollectedPerAccount),
  };
}

/** As JSON it may be six times as much. */
const maxCollectedPerAccount = 16 * 1024 * 1024;
