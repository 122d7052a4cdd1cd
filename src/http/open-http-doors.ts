/** The HTTP listeners that the configuration asks for, with their doors in this process. */
import { openListener } from '../listening/open-listener.ts';
import type { Address } from '../sessions/session.ts';
import { type CommandsDependencies, createCommandsDoor, createHealthDoor } from './create-http-doors.ts';
import type { HttpDoor } from './http-door.ts';

export interface HttpDoorsDependencies extends CommandsDependencies {
  /** Descriptors of sockets that listen already, in place of config's `httpListen` and `healthListen`. */
  readonly inheritedSockets?: ReadonlyMap<string, number> | undefined;
}

export interface HttpDoors {
  readonly httpAddress: Address | undefined;
  readonly healthAddress: Address | undefined;
  /** That of commands and containers takes no more; health goes on being told. */
  drain(): void;
  close(graceMs: number): Promise<void>;
}

interface OpenDoor {
  readonly address: Address;
  drain(): void;
  close(graceMs: number): Promise<void>;
}

/** Throws a sentence when one cannot be opened; then none is. */
export async function openHttpDoors(dependencies: HttpDoorsDependencies): Promise<HttpDoors> {
  const { config, inheritedSockets } = dependencies;
  const { httpListen, healthListen } = config;
  const openOn = async (
    name: 'http' | 'health',
    listen: string | undefined,
    create: () => Promise<HttpDoor>,
  ): Promise<OpenDoor | undefined> => {
    if (listen === undefined) return undefined;
    const door = await create();
    const flag = `--${name}-listen`;
    const at = { listen: inheritedSockets?.get(name) ?? listen, flag, config };
    const listener = await openListener(at, door.serve).catch(async (error: unknown) => {
      await door.close(0);
      throw error;
    });
    return {
      address: listener.address,
      drain() {
        listener.close();
        door.drain();
      },
      close(graceMs) {
        listener.close();
        return door.close(graceMs);
      },
    };
  };
  const http = await openOn('http', httpListen, () => createCommandsDoor(dependencies));
  const openHealth = () => openOn('health', healthListen, () => createHealthDoor(dependencies));
  const health = await openHealth().catch(async (error: unknown) => {
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
