/** The ports to each other of gateways on one database, which one of them reaches through a proxy. */
import type { OpenGateways } from '../../src/store/postgres/gateways/open-gateways.ts';
import { openGateways } from '../../src/store/postgres/gateways/open-gateways.ts';
import { openPostgresStore } from '../../src/store/postgres/open-postgres-store.ts';
import { createTestDatabase, sharedServer, type TestDatabase } from './postgres.ts';
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface GatewaysOnOneDatabase {
  readonly database: TestDatabase;
  readonly here: OpenGateways;
  /** By the proxy. */
  readonly there: OpenGateways;
  readonly proxy: TcpProxy;
  readonly close: () => Promise<void>;
}

/** As if the gateway of this name had said nothing for 6 s, however often it does, until the returned function is called. */
export async function keepSilent({ query }: TestDatabase, name: string): Promise<() => Promise<unknown>> {
  await query(`
    CREATE FUNCTION silence() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN NEW.beat_at := clock_timestamp() - interval '6 s'; RETURN NEW; END $$;
    CREATE TRIGGER silence BEFORE UPDATE ON postern_gateways FOR EACH ROW WHEN (OLD.name = '${name}')
      EXECUTE FUNCTION silence();
    UPDATE postern_gateways SET name = name WHERE name = '${name}'`);
  return () => query('DROP FUNCTION silence CASCADE');
}

export async function openGatewaysOnOneDatabase(): Promise<GatewaysOnOneDatabase> {
  const database = await createTestDatabase();
  const proxy = await openTcpProxy(sharedServer().port);
  const store = await openPostgresStore({ url: database.url, gatewayName: 'first', cacheSeconds: () => 10 });
  await store.close();
  const proxied = `postgres://postern@127.0.0.1:${proxy.port}/${database.name}`;
  const open = (name: string, url: string) => openGateways({ url, name, identity: name });
  const [here, there] = await Promise.all([open('here', database.url), open('there', proxied)]);
  return {
    ...{ database, here, there, proxy },
    async close() {
      proxy.resume();
      await Promise.all([here.close(), there.close()]);
      await proxy.close();
      await database.drop();
    },
  };
}
