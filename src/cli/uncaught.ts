import type { Logger } from 'pino';
import type { Gateway } from '../gateway.ts';
import { takeFaultOwner } from '../platform/fault-owner.ts';

/**
 * The last line of defence: a fault of ours that nothing caught. It ends the connection that began it, and that alone. One
 * that no connection began is the gateway's own: what it left behind nobody knows, so the gateway stops, but in order:
 * people are told, and what runs in containers is ended. Whatever started it starts it again.
 */
export function uncaught(
  current: () => Pick<Gateway, 'endForFault' | 'noteFault'>,
  log: Logger,
  sentence = 'internal error; the gateway stops',
): Promise<'failure'> {
  return new Promise((resolve) => {
    process.on('uncaughtException', (error) => {
      const owner = takeFaultOwner();
      if (owner) return current().endForFault(error, owner);
      current().noteFault();
      log.fatal({ err: error }, sentence);
      resolve('failure');
    });
  });
}
