/**
 * The ids of this API are 24 hexadecimal digits, as MongoDB's ObjectIds are. Ours are 16 characters of five bits each:
 * 20 digits, and then four that are always the same.
 */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const length = 16;
const tail = '0000';

export function formatObjectId(id: string): string {
  let bits = 0n;
  for (const character of id) bits = bits * 32n + BigInt(alphabet.indexOf(character));
  return `${bits.toString(16).padStart(20, '0')}${tail}`;
}

/** Undefined for what `formatObjectId` never writes. */
export function parseObjectId(text: string): string | undefined {
  const [, digits] = /^([0-9a-f]{20})0000$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const bits = BigInt(`0x${digits}`);
  return Array.from(
    { length },
    (_, index) => alphabet[Number((bits >> BigInt(5 * (length - 1 - index))) & 31n)],
  ).join('');
}
