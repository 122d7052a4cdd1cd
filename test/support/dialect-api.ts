/** A dialect of a gateway under test, asked as its own page asks. */
import { type Api, type ApiAnswer, startApi } from './http-api.ts';

export interface DialectOptions {
  /** What all its paths begin with. */
  readonly folder: string;
  /** What the token is for, joined by commas. */
  readonly commands: string;
  /** What its page sends besides the type of its body. */
  readonly headers?: readonly string[];
  readonly config?: Record<string, unknown>;
}

export type DialectApi = Api & {
  /** The admin's. */
  readonly token: string;
  /** `path` is below the folder; a body that is no text is sent as JSON. */
  readonly call: (method: string, path?: string, body?: unknown, as?: string) => Promise<ApiAnswer>;
};

export async function startDialect(options: DialectOptions): Promise<DialectApi> {
  const { folder, commands, headers = [], config } = options;
  const api = await startApi({ config: { tokenRatePerSecond: 1000, ...config } });
  const token = await api.apiKey(`--cmds="${commands}"`);
  const sent = ['Content-Type: application/json', ...headers].flatMap((header) => ['-H', header]);
  return {
    ...api,
    token,
    call: (method, path = '', body = undefined, as = token) =>
      api.ask({
        token: as,
        path: `${folder}${path}`,
        args: ['-X', method, ...sent],
        ...(body === undefined ? {} : { line: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
  };
}
