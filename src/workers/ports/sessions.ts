/** The list of sessions of the whole gateway: the supervisor asks every worker for theirs, and waits for none for long. */
import { setTimeout as pause } from 'node:timers/promises';
import type { SteadyPeer } from '../../ipc/open-steady-peer.ts';
import type { Peer } from '../../ipc/peer.ts';
import type { Handler } from '../../ipc/serving.ts';
import type { FoundSessions, SessionDirectory, SessionQuery } from '../../sessions/session-directory.ts';
import { asList, asText, type ServedPort, servesAll } from './served-port.ts';

/** Of the supervisor, to a worker about its own. */
const ownMethod = { find: 'sessions.own.find', end: 'sessions.own.end' } as const;
/** Of a worker, to the supervisor about all. */
const method = { find: 'sessions.find', end: 'sessions.end' } as const;

/** Who asks waits a second at most. */
const answerWithinMs = 800;
/** Mostly they are back at once. */
const returnWithinMs = 200;

export interface ConnectedWorker {
  readonly id: string;
  readonly peer: Peer | undefined;
}

/** `own`: of this worker, which the supervisor may ask for. */
export function sessionsOverIpc(supervisor: SteadyPeer, own: SessionDirectory): SessionDirectory {
  supervisor.serve(
    new Map<string, Handler>([
      [ownMethod.find, async (query) => (await own.find(queryFrom(query))).sessions],
      [
        ownMethod.end,
        (params) => {
          const [id, reason] = asList(params);
          return own.end(asText(id), asText(reason));
        },
      ],
    ]),
  );
  const again = { repeatable: true, largeAnswer: true } as const;
  return {
    find: (query) => supervisor.request<FoundSessions>(method.find, query, again),
    end: (id, reason) => supervisor.request<boolean>(method.end, [id, reason], { repeatable: true }),
  };
}

/**
 * In the supervisor. One without a connection is asked nothing, and named as silent. `ready`: resolves when those of the
 * supervisor before are back, or gone; before that nobody can say that there is no such session.
 */
export function sessionsOfWorkers(
  list: () => readonly ConnectedWorker[],
  ready?: Promise<unknown>,
): SessionDirectory {
  async function ask<Answer>(worker: ConnectedWorker, asked: string, params: unknown, largeAnswer = false) {
    const how = { deadlineMs: answerWithinMs, largeAnswer };
    const answer = await worker.peer?.request<Answer>(asked, params, how).catch(() => undefined);
    return { worker, answer };
  }
  return {
    async find(query) {
      await Promise.race([ready, pause(returnWithinMs, undefined, { ref: false })]);
      const answers = await Promise.all(
        list().map((worker) => ask<FoundSessions['sessions']>(worker, ownMethod.find, query, true)),
      );
      return {
        sessions: answers
          .flatMap(({ answer }) => answer ?? [])
          .toSorted((one, other) => one.openedAt.localeCompare(other.openedAt)),
        silent: answers.flatMap(({ worker, answer }) => (answer ? [] : [`worker ${worker.id}`])),
      };
    },
    async end(id, reason) {
      await ready;
      const answers = list().map((worker) => ask<boolean>(worker, ownMethod.end, [id, reason]));
      return (await Promise.all(answers)).some(({ answer }) => answer === true);
    },
  };
}

export const serveSessions = (sessions: SessionDirectory): ServedPort =>
  servesAll({
    [method.find]: (query) => sessions.find(queryFrom(query)),
    [method.end]: (params) => {
      const [id, reason] = asList(params);
      return sessions.end(asText(id), asText(reason));
    },
  });

function queryFrom(value: unknown): SessionQuery {
  const { id, accountId } = (value ?? {}) as SessionQuery;
  return {
    ...(id === undefined ? {} : { id: asText(id) }),
    ...(accountId === undefined ? {} : { accountId: asText(accountId) }),
  };
}
