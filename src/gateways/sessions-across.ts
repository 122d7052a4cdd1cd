/** The sessions of all gateways on one database: each is asked for its own, and waited for no longer than `ask` waits. */
import type { FoundSessions, SessionDirectory, SessionQuery } from '../sessions/session-directory.ts';
import type { OtherGateways } from './other-gateways.ts';

interface Question {
  readonly find?: SessionQuery;
  readonly end?: readonly [id: string, reason: string];
}

/** `own`: of this gateway, which the others may ask for. */
export function sessionsAcross(
  others: Pick<OtherGateways, 'name' | 'ask' | 'onQuestion'>,
  own: SessionDirectory,
): SessionDirectory {
  others.onQuestion(async (asked) => {
    const { find, end } = asked as Question;
    if (find) return own.find(queryFrom(find));
    return end ? own.end(String(end[0]), String(end[1])) : undefined;
  });
  const ask = (question: Question) => others.ask(question);
  return {
    async find(query) {
      const asked = ask({ find: query }).then(
        (answers) => answers.map(({ gateway, answer }) => at(gateway, foundFrom(answer) ?? silentGateway)),
        () => [nobodyReached],
      );
      const [mine, theirs] = await Promise.all([own.find(query), asked]);
      const all = [at(others.name, mine), ...theirs];
      return {
        sessions: all
          .flatMap(({ sessions }) => sessions)
          .toSorted((one, other) => one.openedAt.localeCompare(other.openedAt)),
        silent: all.flatMap(({ silent }) => silent),
      };
    },
    async end(id, reason) {
      if (await own.end(id, reason)) return true;
      return (await ask({ end: [id, reason] })).some(({ answer }) => answer === true);
    },
  };
}

const silentGateway: FoundSessions = { sessions: [], silent: [''] };
const nobodyReached: FoundSessions = { sessions: [], silent: ['other gateways'] };

/** What is silent is a whole gateway, or named by it. */
const at = (gateway: string, { sessions, silent }: FoundSessions): FoundSessions => ({
  sessions: sessions.map((session) => ({ ...session, gateway })),
  silent: silent.map((part) => (part === '' ? `gateway ${gateway}` : `${part} of ${gateway}`)),
});

/** Undefined: it is none of a version that is known here. */
function foundFrom(answer: unknown): FoundSessions | undefined {
  const { sessions, silent } = (answer ?? {}) as Partial<FoundSessions>;
  return Array.isArray(sessions) && Array.isArray(silent) ? { sessions, silent } : undefined;
}

/** One with a restriction that is not known here must not be taken for one without. */
function queryFrom({ id, accountId, ...unknown }: SessionQuery): SessionQuery {
  if (Object.keys(unknown).length > 0) throw new TypeError('a query of sessions was expected');
  return {
    ...(id === undefined ? {} : { id: String(id) }),
    ...(accountId === undefined ? {} : { accountId: String(accountId) }),
  };
}
