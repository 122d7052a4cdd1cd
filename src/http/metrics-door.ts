/** GET /metrics, on a listener of its own: for the Prometheus of this machine. Nothing secret stands there. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { openListener } from '../listening/open-listener.ts';
import { noMeter } from '../metrics/meter.ts';
import type { Address } from '../sessions/session.ts';
import { boundReading } from './answers-under-way.ts';
import { serveSockets } from './serve-sockets.ts';
import { createHttpServer, type ServerOptions } from './server.ts';

export interface MetricsDoorOptions {
  readonly config: ServerOptions['config'] & Pick<Config, 'metricsListen' | 'maxConnections'>;
  readonly log: Logger;
  readonly page: MetricsPage;
  /** Descriptor of a socket that listens already, in place of config's `metricsListen`. */
  readonly inheritedSocket?: number | undefined;
  readonly onListening?: ((name: string, handle: unknown) => void) | undefined;
}

export type MetricsPage = () => Promise<{ readonly contentType: string; readonly text: string }>;

export interface MetricsDoor {
  readonly address: Address;
  close(): Promise<void>;
}

/** For an answer that lies unread. */
const stallMs = 10_000;

/** Undefined where config's `metricsListen` is unset. Throws a sentence when it cannot listen. */
export async function openMetricsDoor(options: MetricsDoorOptions): Promise<MetricsDoor | undefined> {
  const { config, log, page, inheritedSocket, onListening } = options;
  const { metricsListen: listen } = config;
  if (listen === undefined) return undefined;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    boundReading(response, stallMs);
    const path = (request.url ?? '').split('?', 1)[0];
    if (path !== '/metrics') return end(response, 404, 'There is only /metrics here.\n');
    if (request.method !== 'GET') {
      return end(response.setHeader('allow', 'GET'), 405, 'Metrics are read with GET.\n');
    }
    const { contentType, text } = await page();
    end(response.setHeader('content-type', contentType), 200, text);
  };
  const server = createHttpServer(
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        log.error({ err: error }, 'the metrics could not be read');
        end(response, 500, 'The metrics could not be read; the log says why.\n');
      });
    },
    { config, meter: noMeter },
  );
  const sockets = serveSockets(server);
  const at = { listen: inheritedSocket ?? listen, flag: '--metrics-listen', config };
  const listener = await openListener(at, sockets.serve);
  onListening?.('metrics', listener.handle());
  return {
    address: listener.address,
    close() {
      listener.close();
      return sockets.close(0);
    },
  };
}

function end(response: ServerResponse, status: number, text: string): void {
  if (!response.hasHeader('content-type')) response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.writeHead(status).end(text);
}
