/** What a signature was made for: `v0@DOMAIN` for commands, `v0@NAME.DOMAIN` for one container. */

const prefix = 'v0@';

export type TokenScope =
  | { readonly kind: 'commands' }
  /** `container`: the name as it was signed. */
  | { readonly kind: 'container'; readonly container: string };

export const commandsNamespace = (domain: string) => `${prefix}${domain}`;
export const containerNamespace = (container: string, domain: string) => `${prefix}${container}.${domain}`;

/** Undefined for a namespace that is none of this gateway's. */
export function findScope(namespace: string, domain: string): TokenScope | undefined {
  if (namespace === commandsNamespace(domain)) return { kind: 'commands' };
  const suffix = `.${domain}`;
  if (!namespace.startsWith(prefix) || !namespace.endsWith(suffix)) return undefined;
  const container = namespace.slice(prefix.length, namespace.length - suffix.length);
  // Docker's own rule for names; two of them are never one.
  return /^[a-zA-Z0-9][\w.-]{0,254}$/.test(container) ? { kind: 'container', container } : undefined;
}
