/** What must fit together before tokens are taken over HTTP. */
import { GatewayError } from '../errors.ts';
import type { Config } from './config.ts';
import { isLoopback, parseListenAddress } from './listen-address.ts';

const wrong = (problem: string) => new GatewayError('invalid-config', { problem });

/** Throws invalid-config. */
export function checkHttp({ httpListen, tlsCert, tlsKey, httpInsecure, domain }: Config): void {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw wrong('TLS needs both, the certificate and its key: give --tls-cert FILE and --tls-key FILE.');
  }
  if (httpListen === undefined || isLoopback(parseListenAddress(httpListen))) return;
  if (tlsCert === undefined && !httpInsecure) {
    throw wrong(
      `tokens would cross the network in clear on ${httpListen}: give --tls-cert and --tls-key, listen on 127.0.0.1, or, with a proxy in front that does TLS, say --http-insecure.`,
    );
  }
  if (domain === 'localhost') {
    throw wrong(
      'every gateway called localhost takes the same tokens: give this one the name that people call it by, with --domain NAME, before it serves HTTP to others.',
    );
  }
}

/** Throws invalid-config. */
export function checkMetrics({ metricsListen, metricsOffLoopback }: Config): void {
  if (metricsListen === undefined || isLoopback(parseListenAddress(metricsListen)) || metricsOffLoopback)
    return;
  throw wrong(
    `whoever reaches ${metricsListen} could read how this gateway is used: listen on 127.0.0.1, or, where other machines may read it, say --metrics-off-loopback.`,
  );
}
