/** What the simulation takes for granted of people, machines and the network; nothing of it was measured. */
export const world = {
  accounts: 1_000_000,
  /** At the peak of the day. */
  sessions: 100_000,
  sessionSeconds: 3_600,
  /** Of an account: git, CI and single commands, which hold no session. */
  commandsPerDay: 4,
  /** The busiest hour has so many times the mean of the day. */
  peakOverMean: 2.5,
  /** Key, account and grant changes, of a thousand accounts in a day. */
  changesPerThousandPerDay: 20,
  /** Of a processor, for what an open session carries: prompts, editors, now and then a build's output. */
  sessionCpuShare: 0.0002,
  /** Between client and gateway; a login takes six ways there and back, and the client's own work. */
  roundTripSeconds: 0.04,
  clientSeconds: 0.15,
  coresPerGateway: 8,
  coresOfDatabase: 8,
  /** Not more of a gateway's processors than this is planned for. */
  plannedUse: 0.6,
  keepaliveSeconds: 30,
  /** Clients of a gateway that died come back evenly within this, and again so long after a refusal. */
  reconnectSeconds: 30,
  retrySeconds: 5,
  /** MaxStartups of each gateway: from the first refusing some, from the second all. 10:30:100 is the default. */
  maxStartups: { start: 200, ratePercent: 30, full: 1_000 },
} as const;

export type World = {
  readonly [Key in keyof typeof world]: Key extends 'maxStartups'
    ? { readonly start: number; readonly ratePercent: number; readonly full: number }
    : number;
};
