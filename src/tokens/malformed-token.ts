/** A token that no key, clock or account could make good. The reason is for the audit, never for who sent it. */
export class MalformedToken extends Error {
  override readonly name = 'MalformedToken';
}
