/** `GET /ACCOUNT.keys`, as GitHub and GitLab have it: what sshd's AuthorizedKeysCommand and ssh-import-id read. */
import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { FindKeyFeed } from '../accounts/key-feed.ts';
import type { Config } from '../config/config.ts';
import { GatewayError } from '../errors.ts';

const schema = {
  summary: "An account's public keys",
  description: 'One a line, type and base64, without comment: those that are neither restricted nor expired.',
  params: { type: 'object', properties: { account: { type: 'string' } } },
  response: {
    200: { description: 'the keys', content: { 'text/plain': { schema: { type: 'string' } } } },
    304: { description: 'they are those of If-None-Match', type: 'null' },
    404: { description: 'no such account, or it is disabled', type: 'object', additionalProperties: true },
  },
};

/** As the OpenAPI document writes it. */
export const keyFeedPath = '/{account}.keys';

export function addKeyFeed(
  app: FastifyInstance,
  findKeyFeed: FindKeyFeed,
  config: Pick<Config, 'keyFeed'>,
): void {
  app.get<{ Params: { account: string } }>(
    '/:account([a-z0-9-]{1,32}).keys',
    { schema },
    async (request, reply) => {
      const keys = config.keyFeed === 'public' ? await findKeyFeed(request.params.account) : undefined;
      if (!keys) throw new GatewayError('no-such-page', {});
      const body = keys.map((line) => `${line}\n`).join('');
      const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
      reply.headers({ etag, 'cache-control': 'no-cache' });
      if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
      return reply.type('text/plain; charset=utf-8').send(body);
    },
  );
}

/** RFC 9110 §13.1.2: weak comparison, with each of a list, or with `*`. */
const matches = (header: string | undefined, etag: string): boolean =>
  (header ?? '')
    .split(',')
    .map((each) => each.trim().replace(/^W\//, ''))
    .some((each) => each === etag || each === '*');
