import type { Logger } from 'pino';
import { GatewayError } from '../errors.ts';
import type { EndForFault } from '../platform/fault-owner.ts';
import { randomId } from '../platform/ids.ts';
import type { Meter } from './meter.ts';

/** A fault of ours that nothing caught ends what began it, and is counted and logged under the number that its owner is told. */
export function createEndForFault(log: Logger, meter: Pick<Meter, 'faultCaught'>): EndForFault {
  return (error, owner) => {
    const { connectionId } = owner;
    const errorId = randomId(8);
    meter.faultCaught('connection');
    log.error({ errorId, connectionId, err: error }, 'internal error; the connection ends');
    try {
      owner.end(new GatewayError('internal', { id: errorId }).message);
    } catch (failure) {
      log.error({ errorId, connectionId, err: failure }, 'the connection could not be ended');
    }
  };
}
