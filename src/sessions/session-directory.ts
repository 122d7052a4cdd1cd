/** The sessions of the whole gateway, whichever of its processes carry them: plain data, for who lists and ends them. */
import type { Connections, LiveSession } from './connections.ts';

export interface SessionFacts {
  readonly id: string;
  /** Where several share a database: which of them it is on. */
  readonly gateway?: string;
  readonly connectionId: string;
  readonly accountId: string;
  readonly account: string;
  /** `lobby` or the target's name. */
  readonly target: string;
  /** What owning the target hangs on; unset for the lobby. */
  readonly targetKey?: string;
  /** Masked command line, `shell`, or the subsystem's name. */
  readonly what: string;
  /** The address it comes from. */
  readonly source: string;
  readonly openedAt: string;
  /** So far: what the peer sent, what it was sent. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** What is left out matches all. */
export interface SessionQuery {
  readonly id?: string;
  readonly accountId?: string;
}

export interface FoundSessions {
  /** In order of their opening. */
  readonly sessions: readonly SessionFacts[];
  /** Processes that did not answer in time, in words for people: what they carry is not listed. */
  readonly silent: readonly string[];
}

export interface SessionDirectory {
  find(query: SessionQuery): Promise<FoundSessions>;
  /** Ends it with a sentence on stderr and status 255; false where there is none of that id. */
  end(id: string, reason: string): Promise<boolean>;
}

/** Those of this process. */
export function localSessions({ listSessions }: Pick<Connections, 'listSessions'>): SessionDirectory {
  return {
    async find({ id, accountId }) {
      const wanted = listSessions().filter(
        (live) =>
          (id === undefined || live.id === id) &&
          (accountId === undefined || live.identity.accountId === accountId),
      );
      return { sessions: wanted.map(factsOf), silent: [] };
    },
    async end(id, reason) {
      const live = listSessions().find((session) => session.id === id);
      live?.end(reason);
      return live !== undefined;
    },
  };
}

function factsOf({ identity, authorization, traffic, ...live }: LiveSession): SessionFacts {
  const { id, connectionId, target, what, openedAt } = live;
  return {
    ...{ id, connectionId, target, what, openedAt },
    ...(authorization ? { targetKey: authorization.target.key } : {}),
    accountId: identity.accountId,
    account: identity.accountName,
    source: identity.source.address,
    ...traffic(),
  };
}
