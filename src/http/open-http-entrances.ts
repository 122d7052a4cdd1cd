/** The HTTP listeners that the configuration asks for: what they let in is given away; health is told here. */
import type { Socket } from 'node:net';
import type { SharedAddresses } from '../auth/shared-addresses.ts';
import { sourceBlock } from '../auth/source-block.ts';
import { openListener } from '../listening/open-listener.ts';
import type { Address } from '../sessions/session.ts';
import { createHealthDoor, type HealthDependencies } from './create-http-doors.ts';

export interface HttpEntrancesDependencies extends HealthDependencies {
  /** Descriptors of sockets that listen already, in place of config's `httpListen` and `healthListen`. */
  readonly inheritedSockets?: ReadonlyMap<string, number> | undefined;
  readonly onListening?: ((name: string, handle: unknown) => void) | undefined;
  readonly shared: SharedAddresses;
  /** Serves who came for commands and containers. */
  readonly serve: (socket: Socket, left: () => void) => void;
}

export interface HttpEntrances {
  readonly httpAddress: Address | undefined;
  readonly healthAddress: Address | undefined;
  /** Counts one of commands and containers that another process let in before this one, until what is returned is called; `address`: the peer's. */
  adopt(address?: string): () => void;
  /** That of commands and containers lets nobody in any more; health goes on being told. */
  drain(): void;
  close(graceMs: number): Promise<void>;
}

/** Throws a sentence when one cannot be opened; then none is. */
export async function openHttpEntrances(dependencies: HttpEntrancesDependencies): Promise<HttpEntrances> {
  const { config, inheritedSockets, onListening, shared, serve } = dependencies;
  const sourceOf = (address: string) =>
    shared.isShared(address) ? undefined : sourceBlock(address, config.perSourceNetBlockSize);
  const openOn = async (name: 'http' | 'health', listen: string | undefined, onSocket: typeof serve) => {
    if (listen === undefined) return undefined;
    const at = { listen: inheritedSockets?.get(name) ?? listen, flag: `--${name}-listen`, config, sourceOf };
    const listener = await openListener(at, onSocket);
    onListening?.(name, listener.handle());
    return listener;
  };
  const http = await openOn('http', config.httpListen, serve);
  const door = config.healthListen === undefined ? undefined : await createHealthDoor(dependencies);
  const health = await openOn('health', config.healthListen, (socket) => door?.serve(socket)).catch(
    async (error: unknown) => {
      http?.close();
      await door?.close(0);
      throw error;
    },
  );
  return {
    httpAddress: http?.address,
    healthAddress: health?.address,
    adopt: (address) => http?.adopt(address) ?? (() => {}),
    drain: () => http?.close(),
    async close(graceMs) {
      http?.close();
      health?.close();
      await door?.close(graceMs);
    },
  };
}
