/** Which container a request is for, by its Host header (RFC 9112 §3.2). */

/** A name of Docker's, as far as a host name can hold it; two of them are never one. */
const containerName = /^[a-z0-9][\w.-]{0,254}$/;

/**
 * The NAME of `NAME.DOMAIN`, in lower case, without port and final dot. Undefined for the gateway's own name and
 * all others; 'ambiguous' when there is more than one Host header, as each reader might take another.
 */
export function findContainerName(
  hostHeaders: readonly string[],
  domain: string,
): { readonly name: string } | 'ambiguous' | undefined {
  if (hostHeaders.length > 1) return 'ambiguous';
  const [host = ''] = hostHeaders;
  const name = host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  const suffix = `.${domain.toLowerCase()}`;
  if (!name.endsWith(suffix)) return undefined;
  const container = name.slice(0, -suffix.length);
  return containerName.test(container) ? { name: container } : undefined;
}
