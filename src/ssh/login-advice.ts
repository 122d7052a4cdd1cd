/** What people read whom no key of theirs lets in. */

const offerAKey = 'Your ssh offered no key. Make one with "ssh-keygen -t ed25519", or name yours with -i KEY';
const howToJoin =
  'ask an admin of this gateway for an invite (ssh join+CODE@...), or to add your public key.';

/** Undefined where the refused invite, of which they were told, says it all. */
export function loginAdvice(
  joins: boolean,
  { offers, inviteRefused }: { readonly offers: number; readonly inviteRefused: boolean },
): string | undefined {
  if (offers === 0 && joins) return `${offerAKey}; then use this invite again.`;
  if (offers === 0) return `${offerAKey}; if it is new here, ${howToJoin}`;
  if (inviteRefused) return undefined;
  return `None of the keys you offered can log in here. If yours is new, ${howToJoin}`;
}
