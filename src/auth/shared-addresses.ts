/** Addresses that stand for many people at once: limits on one source would shut all of them out. */
import type { Logger } from 'pino';
import { liveAddressBlocks } from '../config/address-blocks.ts';
import type { Config } from '../config/config.ts';
import { plainAddress } from '../platform/ip-address.ts';

export interface SharedAddresses {
  /** Whether limits per source are not for this one: a listed proxy's own, or the bridge's. */
  isShared(address: string): boolean;
}

type SharingConfig = Pick<Config, 'bridgeAddress' | 'proxyProtocolFrom' | 'trustedProxies'>;

/** Whose address it is, if it is a listed proxy's own or the bridge's. `bridge`: of the container that the gateway runs in, if it does. */
export function createFindSharer(config: SharingConfig, bridge: string | undefined) {
  const proxies = [
    liveAddressBlocks(() => config.proxyProtocolFrom),
    liveAddressBlocks(() => config.trustedProxies),
  ];
  return (address: string): 'proxy' | 'bridge' | undefined => {
    if (proxies.some((blocks) => blocks.has(address))) return 'proxy';
    const { bridgeAddress } = config;
    const everybodys = bridgeAddress === 'auto' ? bridge : bridgeAddress;
    const isBridge = everybodys !== undefined && plainAddress(address) === plainAddress(everybodys);
    return isBridge ? 'bridge' : undefined;
  };
}

/** The first who comes from the bridge is told of in the log. */
export function createSharedAddresses(
  config: SharingConfig,
  bridge: string | undefined,
  log: Logger,
): SharedAddresses {
  const findSharer = createFindSharer(config, bridge);
  let warned = false;
  return {
    isShared(address) {
      const sharer = findSharer(address);
      if (sharer === 'bridge' && !warned) {
        log.warn(advice(plainAddress(address)));
        warned = true;
      }
      return sharer !== undefined;
    },
  };
}

const advice = (address: string) =>
  `connections come from ${address}, the address of this container's bridge, whoever makes them: limits and penalties per source, from= options and the audit cannot tell them apart. Run with --network host, or behind a proxy that speaks the PROXY protocol and is listed in proxyProtocolFrom; if ${address} is one person's own address, set bridgeAddress to none.`;
