/** Ports of which a worker holds nothing: penalties, tokens' rates, and the order of a dialect's pages. */
import type { GatewayPenalties, ListedPenalties } from '../../auth/gateway-penalties.ts';
import type { Enforced, Offence } from '../../auth/penalties.ts';
import type { TokenRate } from '../../auth/token-rate.ts';
import type { PageSnapshots } from '../../dialects/page-snapshots.ts';
import type { SteadyPeer } from '../../ipc/open-steady-peer.ts';
import { asCount, asList, asText, type ServedPort, servesAll } from './served-port.ts';

const method = {
  penalise: 'penalties.penalise',
  refuse: 'penalties.refuse',
  list: 'penalties.list',
  clear: 'penalties.clear',
  clearAll: 'penalties.clear-all',
  takeRate: 'token-rate.take',
  orderOf: 'pages.order',
} as const;

/** Where a supervisor dies before it answers, the next one is asked: it knows nothing of it, or counts it a second time. */
const again = { repeatable: true } as const;

export function penaltiesOverIpc(supervisor: SteadyPeer): GatewayPenalties {
  return {
    penalise: async (address, offence) =>
      void (await supervisor.request(method.penalise, [address, offence], again)),
    refuse: async (address) =>
      (await supervisor.request<Enforced | null>(method.refuse, address, again)) ?? undefined,
    list: (limit) => supervisor.request<ListedPenalties>(method.list, limit, again),
    clear: (address) => supervisor.request<boolean>(method.clear, address, again),
    clearAll: () => supervisor.request<number>(method.clearAll, undefined, again),
  };
}

export const servePenalties = (penalties: GatewayPenalties): ServedPort =>
  servesAll({
    [method.penalise]: (params) => {
      const [address, offence] = asList(params);
      return penalties.penalise(asText(address), asText(offence) as Offence);
    },
    [method.refuse]: async (address) => (await penalties.refuse(asText(address))) ?? null,
    [method.list]: (limit) => penalties.list(asCount(limit)),
    [method.clear]: (address) => penalties.clear(asText(address)),
    [method.clearAll]: () => penalties.clearAll(),
  });

export const tokenRateOverIpc = (supervisor: SteadyPeer): TokenRate => ({
  take: (key) => supervisor.request<number>(method.takeRate, key, again),
});

export const serveTokenRate = (rate: TokenRate): ServedPort =>
  servesAll({ [method.takeRate]: (key) => rate.take(asText(key)) });

export const pageSnapshotsOverIpc = (supervisor: SteadyPeer): PageSnapshots => ({
  orderOf: (reader, page, ids) =>
    supervisor.request<readonly string[]>(method.orderOf, [reader, page, ids], again),
});

export const servePageSnapshots = (snapshots: PageSnapshots): ServedPort =>
  servesAll({
    [method.orderOf]: (params) => {
      const [reader, page, ids] = asList(params);
      return snapshots.orderOf(asText(reader), asCount(page), asList(ids).map(asText));
    },
  });
