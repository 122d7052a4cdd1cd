/** Addresses that stand for many people at once: limits on one source would shut all of them out. */
import type { Logger } from 'pino';
import { liveAddressBlocks } from '../config/address-blocks.ts';
import type { Config } from '../config/config.ts';
import { plainAddress } from '../platform/ip-address.ts';

export interface SharedAddresses {
  /** Whether limits per source are not for this one: a listed proxy's own, or the bridge's. */
  isShared(address: string): boolean;
}

/** `bridge`: of the container that the gateway runs in, if it does. The first who comes from there is told of in the log. */
export function createSharedAddresses(
  config: Pick<Config, 'bridgeAddress' | 'proxyProtocolFrom' | 'trustedProxies'>,
  bridge: string | undefined,
  log: Logger,
): SharedAddresses {
  const proxies = [
    liveAddressBlocks(() => config.proxyProtocolFrom),
    liveAddressBlocks(() => config.trustedProxies),
  ];
  let warned = false;
  return {
    isShared(address) {
      if (proxies.some((blocks) => blocks.has(address))) return true;
      const { bridgeAddress } = config;
      const everybodys = bridgeAddress === 'auto' ? bridge : bridgeAddress;
      if (everybodys === undefined || plainAddress(address) !== plainAddress(everybodys)) return false;
      if (!warned) log.warn(advice(plainAddress(address)));
      warned = true;
      return true;
    },
  };
}

const advice = (address: string) =>
  `connections come from ${address}, the address of this container's bridge, whoever makes them: limits and penalties per source, from= options and the audit cannot tell them apart. Run with --network host, or behind a proxy that speaks the PROXY protocol and is listed in proxyProtocolFrom; if ${address} is one person's own address, set bridgeAddress to none.`;
