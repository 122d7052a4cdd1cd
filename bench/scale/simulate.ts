/** Gateways and their database as queues, for some minutes of some hour; one gateway may die. */
import type { Costs } from './costs.ts';
import { createAgenda } from './events.ts';
import { createQueue, type Queue } from './queue.ts';
import { createChance } from './random.ts';
import type { World } from './world.ts';

export interface Scene {
  readonly gateways: number;
  /** Of the peak: 1 is the busiest hour. */
  readonly load: number;
  readonly seconds: number;
  readonly seed: number;
  /** One of the gateways dies then. */
  readonly deathAtSeconds?: number;
}

export interface Course {
  /** Of the logins that went through, sorted; from the first try on. */
  readonly loginSeconds: readonly number[];
  readonly refusals: number;
  /** Busy parts of the gateways' processors, of the database's, and of the one lock of all writers. */
  readonly gatewayUse: number;
  readonly databaseUse: number;
  readonly lockUse: number;
  /** For each second: how many of the dead gateway's clients are not back. */
  readonly away: readonly number[];
}

/** Logins a second in the busiest hour. */
export function loginRate({
  sessions,
  sessionSeconds,
  accounts,
  commandsPerDay,
  peakOverMean,
}: World): number {
  return sessions / sessionSeconds + ((accounts * commandsPerDay) / 86_400) * peakOverMean;
}

interface Gateway {
  readonly processors: Queue;
  startups: number;
  /** Uses of keys that are still to be noted. */
  uses: number;
  isDead: boolean;
}

export function simulate(costs: Costs, world: World, scene: Scene): Course {
  const agenda = createAgenda();
  const chance = createChance(scene.seed);
  const rate = loginRate(world) * scene.load;
  const sessions = world.sessions * scene.load;
  const database = createQueue(agenda, world.coresOfDatabase);
  const lock = createQueue(agenda, 1);
  const gateways: Gateway[] = Array.from({ length: scene.gateways }, () => ({
    ...{ processors: createQueue(agenda, world.coresPerGateway), startups: 0, uses: 0, isDead: false },
  }));
  const alive = () => gateways.filter(({ isDead }) => !isDead);
  /** What open sessions leave of each processor. */
  const leftOver = () => {
    const each = sessions / alive().length;
    const busy = each * (world.sessionCpuShare + costs.keepaliveCpuMs / 1000 / world.keepaliveSeconds);
    return Math.max(0.02, 1 - busy / world.coresPerGateway);
  };
  const loginSeconds: number[] = [];
  let refusals = 0;
  let isAway = 0;

  /** MaxStartups of sshd_config(5): refused early, at random. */
  function isRefused({ startups }: Gateway): boolean {
    const { start, ratePercent, full } = world.maxStartups;
    if (startups < start) return false;
    if (startups >= full) return true;
    const percent = ratePercent + ((100 - ratePercent) * (startups - start)) / (full - start);
    return chance.next() * 100 < percent;
  }

  function logIn(since: number, then: () => void): void {
    const up = alive();
    const gateway = up[Math.floor(chance.next() * up.length)] as Gateway;
    const again = () => agenda.in(chance.exponential(world.retrySeconds), () => logIn(since, then));
    if (isRefused(gateway)) {
      refusals++;
      return again();
    }
    gateway.startups++;
    const done = () => {
      gateway.startups--;
      if (gateway.isDead) return again();
      gateway.uses++;
      loginSeconds.push(agenda.now() - since);
      then();
    };
    const onNetwork = 6 * world.roundTripSeconds + world.clientSeconds;
    const serve = () => {
      const seconds = chance.exponential(costs.loginCpuMs / 1000) / leftOver();
      gateway.processors.take(seconds, () => {
        database.take(chance.exponential(costs.loginDatabaseCpuMs / 1000), done);
      });
    };
    agenda.in(onNetwork, serve);
  }

  /** Every transaction of every gateway holds the one lock; the others hear of each row. */
  function write(rows: number, then: () => void): void {
    lock.take((costs.transactionMs + rows * costs.writtenRowMs) / 1000, () => {
      for (const { processors, isDead } of gateways) {
        if (!isDead) processors.take((rows * costs.heardRowCpuMs) / 1000, () => {});
      }
      then();
    });
  }

  /** Those of a second in one transaction, which is over before the next begins. */
  function noteUses(gateway: Gateway): void {
    const rows = gateway.uses;
    gateway.uses = 0;
    const rest = () => agenda.in(1, () => !gateway.isDead && noteUses(gateway));
    if (rows === 0) rest();
    else write(rows, rest);
  }

  function repeat(meanSeconds: number, what: () => void): void {
    agenda.in(chance.exponential(meanSeconds), () => {
      what();
      repeat(meanSeconds, what);
    });
  }

  for (const gateway of gateways) agenda.in(chance.next(), () => noteUses(gateway));
  repeat(1 / rate, () => logIn(agenda.now(), () => {}));
  const changes = ((world.accounts / 1000) * world.changesPerThousandPerDay * world.peakOverMean) / 86_400;
  repeat(1 / (changes * scene.load), () => write(1, () => {}));
  for (const _gateway of gateways) {
    repeat(1, () => database.take(costs.pollDatabaseCpuMs / 1000, () => {}));
  }
  if (scene.deathAtSeconds !== undefined) {
    agenda.in(scene.deathAtSeconds, () => {
      const dead = gateways[0] as Gateway;
      dead.isDead = true;
      isAway = Math.round(sessions / scene.gateways);
      for (let count = isAway; count > 0; count--) {
        agenda.in(chance.next() * world.reconnectSeconds, () => logIn(agenda.now(), () => isAway--));
      }
    });
  }
  const away: number[] = [];
  for (let second = 1; second <= scene.seconds; second++) {
    agenda.runUntil(second);
    away.push(isAway);
  }
  const lasting = scene.seconds * gateways.length;
  const ofLogins = gateways.reduce((sum, { processors }) => sum + processors.busySeconds, 0);
  return {
    loginSeconds: loginSeconds.sort((a, b) => a - b),
    refusals,
    gatewayUse: 1 - leftOver() + (ofLogins / lasting / world.coresPerGateway) * leftOver(),
    databaseUse: database.busySeconds / scene.seconds / world.coresOfDatabase,
    lockUse: lock.busySeconds / scene.seconds,
    away,
  };
}
