/** The first `limit` characters, with `…` where something was cut: what a peer typed may be 64 KiB long. */
export function excerpt(text: string, limit = 64): string {
  const characters = text.length > limit * 2 ? [...text.slice(0, limit * 2 + 2)] : [...text];
  return characters.length > limit ? `${characters.slice(0, limit).join('')}…` : text;
}
