import type { KeyRow } from '../store/schema.ts';

/** Whether a tag or one of its options lets the key do less than its account may. Its expiry is another matter. */
export function isNarrowed({ tag, restrictions }: Pick<KeyRow, 'tag' | 'restrictions'>): boolean {
  const { from, command, permitOpen, permitListen } = restrictions;
  const { noPty, noPortForwarding, noAgentForwarding } = restrictions;
  const flags = noPty === true || noPortForwarding === true || noAgentForwarding === true;
  return flags || [tag, from, command, permitOpen, permitListen].some((value) => value !== undefined);
}
