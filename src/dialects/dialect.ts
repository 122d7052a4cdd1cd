/**
 * A dialect: the REST API of another product over the same keys. It translates requests into lobby commands and
 * answers into that product's words, and holds no rule: what a command may not do, it cannot.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GatewayError } from '../errors.ts';

/** Runs a lobby command, given as its words, for whoever sent the request; resolves to its JSON. Throws what it throws. */
export type RunCommand = <Data>(
  request: FastifyRequest,
  words: readonly string[],
  options?: { readonly timeoutMs?: number },
) => Promise<Data>;

/** Whoever sent the request, as no command tells it. */
export interface Callers {
  accountIdOf(request: FastifyRequest): string;
  /** The JWT that stands for the token which the request came with. Throws unauthorized for a JWT, and too-many-tokens. */
  exchangeToken(request: FastifyRequest): Promise<string>;
  /** The order that a page of `ids` is cut from: the same for all pages of one reading, which are `perPage` long. */
  orderOfPage(
    request: FastifyRequest,
    of: { readonly page: number; readonly perPage: number; readonly ids: readonly string[] },
  ): Promise<readonly string[]>;
}

export interface DialectAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface Dialect {
  /** For OpenAPI: the product's name. */
  readonly name: string;
  /** All its routes begin with this; nobody else's do. */
  readonly prefix: string;
  /** Beside `Authorization: Bearer`. */
  readonly findToken?: (request: FastifyRequest) => string | undefined;
  /** A failure in its words: of a command, of the token, of the request (no such route, not this method). */
  readonly answerFailure: (failure: GatewayError, request: FastifyRequest) => DialectAnswer;
  /** Paths are below `prefix`. The bodies are JSON, or undefined. */
  readonly addRoutes: (app: FastifyInstance, run: RunCommand, callers: Callers) => void;
}

/** A failure that is this dialect's own: its answer is ready. */
export class DialectFailure extends Error {
  override readonly name = 'DialectFailure';
  readonly answer: DialectAnswer;

  constructor(status: number, body: unknown) {
    super(`answered with ${status}`);
    this.answer = { status, body };
  }
}

/** A key as `ssh-key list --json` and `ssh-key add --json` show it. */
export interface KeyData {
  readonly id: string;
  readonly name: string;
  /** `TYPE BASE64`. */
  readonly public_key: string;
  readonly comment?: string;
  readonly fingerprint: string;
  readonly fingerprint_md5: string;
  readonly key_type: string;
  readonly created_at: string;
  readonly last_used_at: string | null;
  readonly kind: string;
}
