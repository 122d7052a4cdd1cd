/** What the configuration key `store` may be: `lowdb`, or `postgres://USER@HOST/DATABASE`. */
const scheme = /^postgres(?:ql)?:\/\//;
/** Stands where the URL names no host: a unix socket may be named behind it. */
const noHost = 'host.invalid';

/** A database; else it is lowdb's file. */
export const isDatabaseUrl = (store: string): boolean => scheme.test(store);

export const isStore = (store: string): boolean => store === 'lowdb' || parseUrl(store) !== undefined;

/** As http, since URL treats hosts of schemes it does not know in ways of its own. */
function parseUrl(store: string): URL | undefined {
  if (!isDatabaseUrl(store)) return undefined;
  const text = store
    .replace(scheme, 'http://')
    .replace(/^(http:\/\/(?:[^/?#]*@)?)(?=[/?#]|$)/, `$1${noHost}`);
  return URL.canParse(text) ? new URL(text) : undefined;
}

export function holdsPassword(store: string): boolean {
  const url = parseUrl(store);
  return url !== undefined && (url.password !== '' || url.searchParams.has('password'));
}

/** As it may be shown: without password and parameters. */
export function labelOfStore(store: string): string {
  const url = parseUrl(store);
  if (!url) return store;
  const user = url.username === '' ? '' : `${url.username}@`;
  return `postgres://${user}${url.hostname === noHost ? '' : url.host}${url.pathname}`;
}

/** A name, an address or the folder of a unix socket; undefined where the URL names none. */
export function hostOfStore(store: string): string | undefined {
  const url = parseUrl(store);
  if (!url) return undefined;
  const named =
    url.hostname === noHost ? undefined : decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '');
  return url.searchParams.get('host') ?? named;
}
