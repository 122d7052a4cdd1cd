/** `NAME.DOMAIN` over HTTP: with a token for that container, straight to its web server. */
import { identifyByToken } from '../../auth/identify-by-token.ts';
import { GatewayError } from '../../errors.ts';
import { randomId } from '../../platform/ids.ts';
import { requestEnds } from '../../proxies/request-source.ts';
import { findContainerName } from '../host-name.ts';
import type { Passage } from '../server.ts';
import { dropRest } from './answer-failure.ts';
import { type Exchange, openUpgradeExchange } from './exchange.ts';
import { toHeaders, valuesOf } from './header-rules.ts';
import { createPass, fail, hangUp, type PassDependencies } from './pass.ts';
import { readHead } from './read-head.ts';
import { checkHandshake } from './switch-protocols.ts';

const keepAliveMs = 30_000;

/** Stands in the listener before the gateway's own routes. Its handlers answer in full and never throw. */
export function createContainerPassage(dependencies: PassDependencies): Passage {
  const { domain } = dependencies;
  const pass = createPass(dependencies);
  const open = new Set<AbortController>();

  async function serve(exchange: Exchange): Promise<void> {
    const { request, response, upgrade } = exchange;
    const ending = new AbortController();
    open.add(ending);
    // Streams may be silent for hours; whose machine is gone must not look like one of them.
    request.socket.setKeepAlive(true, keepAliveMs);
    response.once('close', () => response.writableFinished || ending.abort(hangUp));
    // What has begun can only be cut off: then it is seen to be incomplete.
    ending.signal.addEventListener('abort', () => response.headersSent && request.socket.destroy());
    const id = randomId();
    try {
      const head = readHead(request, domain);
      if (upgrade) checkHandshake(request, head);
      const { token, container } = head;
      const { source } = requestEnds(request);
      const identity = await identifyByToken(
        dependencies,
        { token, use: { kind: 'container', source }, connectionId: id },
        () => new GatewayError('container-unauthorized', { name: container }),
      );
      await pass({ id, exchange, head, identity, ending });
    } catch (error) {
      fail(dependencies, { id, exchange, ending }, error);
    } finally {
      open.delete(ending);
      if (!upgrade) dropRest(request);
    }
  }

  return {
    isFor: ({ rawHeaders }) =>
      findContainerName(valuesOf(toHeaders(rawHeaders), 'host'), domain) !== undefined,
    handleRequest: (request, response) => void serve({ request, response }),
    handleUpgrade(request, socket, head) {
      const exchange = openUpgradeExchange(request, socket, head);
      if (exchange) void serve(exchange);
    },
    close() {
      const reason = new GatewayError('session-ended', { reason: 'the gateway is shutting down.' });
      for (const ending of open) ending.abort(reason);
    },
  };
}
