/** The port's Reader as requests. */
import { isGatewayError } from '../../errors.ts';
import { deepFreeze } from '../rows.ts';
import type { TableName } from '../schema.ts';
import type { Reader } from '../store.ts';
import type { FindParams, GetParams, ListParams, ReadParams } from './protocol.ts';

export type Ask = (method: string, params: unknown, largeAnswer: boolean) => Promise<unknown>;

/** Within a transaction where there is a number. */
export function readOverIpc(ask: Ask, transaction?: number): Reader {
  const read = async <Params>(method: string, of: Params, largeAnswer = false) => {
    const params: ReadParams<Params> = transaction === undefined ? { of } : { of, in: transaction };
    return deepFreeze(await ask(method, params, largeAnswer)) as never;
  };
  const list: Reader['list'] = (table, field, value) =>
    read<ListParams>('store.list', field === undefined ? [table] : [table, field, value ?? ''], true);
  return {
    get: (table, id) => read<GetParams>('store.get', [table, id]),
    find: (table, field, value) => read<FindParams>('store.find', [table, field, value]),
    list,
    isEmpty: (table) =>
      read<TableName>('store.isEmpty', table).catch(async (error: unknown) => {
        if (isGatewayError(error)) throw error;
        // A supervisor of the version before knows no such method.
        return (await list(table)).length === 0;
      }),
  };
}
