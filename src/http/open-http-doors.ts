/** The HTTP listeners that the configuration asks for. */
import type { Logger } from 'pino';
import type { FindKeyFeed } from '../accounts/key-feed.ts';
import type { Audit } from '../audit/audit.ts';
import type { TokenAuthenticator } from '../auth/token-authenticator.ts';
import type { ExchangeToken } from '../auth/token-exchange.ts';
import { createTokenRate } from '../auth/token-rate.ts';
import { createApi } from '../commands/api.ts';
import type { CallLine } from '../commands/call-line.ts';
import type { Config } from '../config/config.ts';
import { listenError, parseListenAddress } from '../config/listen-address.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Clock } from '../platform/clock.ts';
import type { Connections, LiveConnection } from '../sessions/connections.ts';
import type { ReachWeb } from '../sessions/reach-web.ts';
import type { Address } from '../sessions/session.ts';
import { createCollectedBytes } from './collected-bytes.ts';
import { createContainerPassage } from './container-passage/create-container-passage.ts';
import { type AddRoutes, type HttpDoor, type HttpDoorOptions, openHttpDoor } from './http-door.ts';
import { createProxiesInFront } from './proxies-in-front.ts';

export interface HttpDoorsDependencies {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly audit: Audit;
  readonly meter: Meter;
  readonly tokens: TokenAuthenticator;
  readonly keyFeed: FindKeyFeed;
  readonly exchangeToken: ExchangeToken;
  readonly callLine: CallLine;
  readonly addConnection: (connection: LiveConnection) => () => void;
  readonly engineAnswers: () => Promise<boolean>;
  readonly isDraining: () => boolean;
  readonly inheritedSockets?: ReadonlyMap<string, number> | undefined;
  readonly connections: Connections;
  readonly reachWeb: ReachWeb;
  readonly addRoutes?: AddRoutes;
}

export interface HttpDoors {
  readonly httpAddress: Address | undefined;
  readonly healthAddress: Address | undefined;
  /** That of commands and containers takes no more; health goes on being told. */
  drain(): void;
  close(graceMs: number): Promise<void>;
}

/** Throws a sentence when one cannot be opened; then none is. */
export async function openHttpDoors(dependencies: HttpDoorsDependencies): Promise<HttpDoors> {
  const { config, log, meter, engineAnswers, isDraining, addRoutes } = dependencies;
  const { domain, httpListen, healthListen, tlsCert: certFile, tlsKey: keyFile } = config;
  const shared = { log, meter, engineAnswers, isDraining, config };
  const tls = certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined;
  const http = await openOn(httpListen, '--http-listen', {
    ...shared,
    inheritedSocket: dependencies.inheritedSockets?.get('http'),
    tls,
    passage: createContainerPassage({
      ...dependencies,
      domain,
      get maxSessionsPerAccount() {
        return config.maxSessionsPerAccount;
      },
    }),
    proxies: createProxiesInFront(config),
    addRoutes,
    keyFeed: dependencies.keyFeed,
    exec: execOf(dependencies),
  });
  const health = await openOn(healthListen, '--health-listen', {
    ...shared,
    inheritedSocket: dependencies.inheritedSockets?.get('health'),
  }).catch(async (error: unknown) => {
    await http?.close(0);
    throw error;
  });
  return {
    httpAddress: http?.address,
    healthAddress: health?.address,
    drain: () => http?.drain(),
    close: async (graceMs) => void (await Promise.all([http?.close(graceMs), health?.close(graceMs)])),
  };
}

function execOf(dependencies: HttpDoorsDependencies) {
  const { config, clock, callLine, addConnection } = dependencies;
  const rate = createTokenRate({
    clock,
    get perSecond() {
      return config.tokenRatePerSecond;
    },
    get burst() {
      return config.tokenRateBurst;
    },
  });
  return {
    api: createApi({
      ...dependencies,
      rate,
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

async function openOn(
  listen: string | undefined,
  flag: string,
  options: Omit<HttpDoorOptions, 'host' | 'port'>,
): Promise<HttpDoor | undefined> {
  if (listen === undefined) return undefined;
  try {
    return await openHttpDoor({ ...options, ...parseListenAddress(listen) });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code?.startsWith('E')
      ? listenError(listen, flag, error as NodeJS.ErrnoException)
      : error;
  }
}
