/** The headers that a container's web server gets. */
import type { AccountRow } from '../../store/schema.ts';
import { type Headers, withoutOurs } from './header-rules.ts';
import type { RequestHead } from './read-head.ts';

export interface Asker {
  readonly account: Pick<AccountRow, 'id' | 'email'>;
  /** JSON of the token, byte for byte as signed. */
  readonly ctx: Buffer | undefined;
  readonly address: string;
  readonly isTls: boolean;
}

/** Header fields are bytes; Node writes each character of a string as one. */
const bytesAsText = (bytes: Buffer) => bytes.toString('latin1');

/** `connection`: how this hop goes on, `close` or `Upgrade`. */
export function requestHeaders(head: RequestHead, asker: Asker, connection: 'close' | 'Upgrade'): Headers {
  return [
    ['Host', head.host],
    ...withoutOurs(head.headers),
    ['X-ExeDev-UserID', asker.account.id],
    ...optional('X-ExeDev-Email', asker.account.email && bytesAsText(Buffer.from(asker.account.email))),
    ...optional('X-ExeDev-Token-Ctx', asker.ctx && bytesAsText(asker.ctx)),
    ['X-Forwarded-For', asker.address],
    ['X-Forwarded-Host', head.host],
    ['X-Forwarded-Proto', asker.isTls ? 'https' : 'http'],
    ...framing(head),
    ['Connection', connection],
    ...(connection === 'Upgrade' ? ([['Upgrade', 'websocket']] as const) : []),
  ];
}

const optional = (name: string, value: string | undefined): Headers =>
  value === undefined ? [] : [[name, value]];

const bodiless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE']);

function framing({ body, method }: RequestHead): Headers {
  if (body === 'chunked') return [['Transfer-Encoding', 'chunked']];
  if (body !== 'none') return [['Content-Length', body.contentLength]];
  return bodiless.has(method) ? [] : [['Content-Length', '0']];
}
