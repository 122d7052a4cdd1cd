/**
 * `fixed`, with properties that are asked for at each use: what is made of live keys would else be of the start. Whoever
 * spreads the result makes it so.
 */
export function withLive<Fixed extends object, Live extends Readonly<Record<string, () => unknown>>>(
  fixed: Fixed,
  live: Live,
): Fixed & { readonly [Name in keyof Live]: ReturnType<Live[Name]> } {
  const getters = Object.entries(live).map(([name, get]) => [name, { get, enumerable: true }]);
  return Object.defineProperties({ ...fixed }, Object.fromEntries(getters)) as ReturnType<
    typeof withLive<Fixed, Live>
  >;
}
