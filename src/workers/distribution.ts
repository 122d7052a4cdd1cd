/** Which worker has which connection: each goes to the one with the fewest, and waits where nobody serves yet. */
import type { Socket } from 'node:net';
import type { Passed, WorkerProcess } from './worker-process.ts';

export interface Member {
  readonly process: WorkerProcess;
  readonly connections: Set<string>;
  isServing: boolean;
}

export interface Distribution {
  /** Gives a socket, of which nothing is read here from now on, to one that serves, or to the first that will. */
  pass(facts: Passed, socket: Socket): void;
  /** Closes it: it came to nobody. */
  refuse(facts: Passed, socket: Socket): void;
  /** To be called when one begins to serve. */
  giveWaiting(): void;
  /** A connection that was passed on has ended. */
  left(connection: string): void;
  /** One has ended, with what it had. */
  gone(member: Member): void;
}

/** Nobody serves it yet. */
interface Waiting {
  readonly passed: Passed;
  readonly socket: Socket;
  readonly timer: NodeJS.Timeout;
}

const maxWaiting = 1_024;
const waitMs = 30_000;

export function createDistribution(
  members: Iterable<Member>,
  onRefused: (connection: string) => void,
): Distribution {
  const memberOf = new Map<string, Member>();
  let waiting: Waiting[] = [];

  function give(member: Member, passed: Passed, socket: Socket): void {
    if (socket.destroyed) return refuse(passed, socket);
    member.connections.add(passed.connection);
    memberOf.set(passed.connection, member);
    member.process.pass(passed, socket);
  }
  function refuse({ connection }: Passed, socket: Socket): void {
    socket.destroy();
    onRefused(connection);
  }

  return {
    pass(passed, socket) {
      const member = leastBusy(members);
      if (member) return give(member, passed, socket);
      if (waiting.length >= maxWaiting) return refuse(passed, socket);
      const timer = setTimeout(() => {
        waiting = waiting.filter((other) => other.socket !== socket);
        refuse(passed, socket);
      }, waitMs);
      waiting.push({ passed, socket, timer });
    },
    refuse,
    giveWaiting() {
      const all = waiting;
      waiting = [];
      for (const { passed, socket, timer } of all) {
        clearTimeout(timer);
        const member = leastBusy(members);
        if (member) give(member, passed, socket);
        else refuse(passed, socket);
      }
    },
    left(connection) {
      memberOf.get(connection)?.connections.delete(connection);
      memberOf.delete(connection);
    },
    gone({ connections }) {
      for (const connection of connections) memberOf.delete(connection);
    },
  };
}

const leastBusy = (members: Iterable<Member>): Member | undefined =>
  [...members]
    .filter(({ isServing }) => isServing)
    .reduce<Member | undefined>(
      (least, member) => (least && least.connections.size <= member.connections.size ? least : member),
      undefined,
    );
