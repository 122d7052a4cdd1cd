/**
 * What every HTTP API is served with: who asks, and the lobby's commands for them. It holds what `POST /exec` and
 * the dialects have in common, so that none of them can do what a command cannot.
 */
import type { IncomingMessage } from 'node:http';
import { Readable, Writable } from 'node:stream';
import type { Audit } from '../audit/audit.ts';
import { identifyByToken } from '../auth/identify-by-token.ts';
import type { Identity } from '../auth/identity.ts';
import type { TokenAuthenticator } from '../auth/token-authenticator.ts';
import type { ExchangeToken } from '../auth/token-exchange.ts';
import type { TokenRate } from '../auth/token-rate.ts';
import { GatewayError } from '../errors.ts';
import { aborted } from '../platform/aborted.ts';
import { createDeadline } from '../platform/deadline.ts';
import { randomId } from '../platform/ids.ts';
import { requestEnds } from '../proxies/request-source.ts';
import type { LiveConnection } from '../sessions/connections.ts';
import type { Address, SessionContext, SessionIo } from '../sessions/session.ts';
import type { CallLine } from './call-line.ts';
import type { LineOutcome } from './interpreter/run-line.ts';
import { quoteWord } from './interpreter/words.ts';

/** Where a request comes from. */
export interface ApiCaller {
  readonly requestId: string;
  readonly source: Address;
  readonly local: Address;
}

export const callerOf = (requestId: string, request: IncomingMessage): ApiCaller => ({
  requestId,
  ...requestEnds(request),
});

export interface Api {
  /**
   * Who shows this token. Throws unauthorized (one sentence for every cause, which the audit holds), token-unproven,
   * rate-limited, and penalised.
   */
  identify(token: string | undefined, caller: ApiCaller): Promise<Identity>;
  /** A token for an hour in place of the one that was identified. Throws unauthorized, too-many-tokens. */
  readonly exchange: ExchangeToken;
  /**
   * Runs one command, given as its words, and resolves to its JSON. Throws what the command throws, timed-out after
   * `timeoutMs` (default: the gateway's for commands, and for long ones), session-ended
   * when what it stands on ends, and usage for a command that is a session of its own.
   */
  run(
    identity: Identity,
    words: readonly string[],
    caller: ApiCaller,
    options?: { readonly timeoutMs?: number; readonly closed?: AbortSignal },
  ): Promise<unknown>;
}

export interface ApiDependencies {
  readonly tokens: TokenAuthenticator;
  readonly exchangeToken: ExchangeToken;
  readonly rate: TokenRate;
  readonly audit: Audit;
  readonly callLine: CallLine;
  readonly addConnection: (connection: LiveConnection) => () => void;
  readonly commandTimeoutMs: number;
  readonly longCommandTimeoutMs: number;
}

export function createApi(dependencies: ApiDependencies): Api {
  const { exchangeToken, rate, audit, callLine, addConnection } = dependencies;
  return {
    exchange: exchangeToken,

    async identify(token, { requestId, source }) {
      const shown = { token, use: { kind: 'commands', source }, connectionId: requestId } as const;
      const identity = await identifyByToken(dependencies, shown, () => new GatewayError('unauthorized', {}));
      const waitSeconds = await rate.take(identity.keyId);
      if (waitSeconds > 0) {
        audit.refused(identity, { what: 'request', reason: 'rate-limited' });
        throw new GatewayError('rate-limited', { seconds: waitSeconds });
      }
      return identity;
    },

    async run(identity, words, caller, { timeoutMs, closed } = {}) {
      const passing = new AbortController();
      let ended: GatewayError | undefined;
      const end = (failure: GatewayError) => {
        ended ??= failure;
        passing.abort();
      };
      let limitMs = timeoutMs ?? dependencies.commandTimeoutMs;
      const deadline = createDeadline(limitMs, (ms) =>
        end(new GatewayError('timed-out', { seconds: ms / 1000 })),
      );
      const removeConnection = addConnection(liveRequest(caller.requestId, identity, end));
      const over = closed ? AbortSignal.any([passing.signal, closed]) : passing.signal;
      try {
        const call = callLine({
          line: words.map(quoteWord).join(' '),
          session: sessionOf(identity, caller),
          io: withoutStreams(over),
          onCommand: ({ long }) => {
            if (!long) return;
            limitMs = timeoutMs ?? dependencies.longCommandTimeoutMs;
            deadline.set(limitMs);
          },
        });
        const outcome = await Promise.race([call, aborted(over)]);
        // Who has hung up reads nothing of it.
        if (outcome === 'aborted')
          throw ended ?? new GatewayError('session-ended', { reason: 'you have left.' });
        return dataOf(outcome);
      } finally {
        deadline.clear();
        removeConnection();
      }
    },
  };
}

/** As over SSH: a command that ends its own access still gets its answer out. */
const farewellMs = 1_000;

/** A request while its command runs: it ends when what it stands on does. */
export const liveRequest = (
  id: string,
  identity: Identity,
  end: (failure: GatewayError) => void,
): LiveConnection => ({
  id,
  identity,
  openedAt: new Date().toISOString(),
  close: (reason) =>
    void setTimeout(() => end(new GatewayError('session-ended', { reason })), farewellMs).unref(),
});

export const sessionOf = (identity: Identity, { requestId, source, local }: ApiCaller): SessionContext => ({
  connectionId: requestId,
  sessionId: randomId(),
  identity,
  loginName: '',
  source,
  local,
});

const withoutStreams = (closed: AbortSignal): SessionIo => ({
  stdin: Readable.from([]),
  stdout: nowhere(),
  stderr: nowhere(),
  onWindowChange: () => {},
  onSignal: () => {},
  closed,
});

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

function dataOf(outcome: LineOutcome): unknown {
  if (outcome.kind === 'failure') throw outcome.failure;
  if (outcome.kind === 'answer') return outcome.data;
  throw new GatewayError('usage', { problem: 'this line has no answer.' });
}
