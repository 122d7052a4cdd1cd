/** Host keys that the set-up made once: to make an RSA key takes longer than all else of a gateway's start. */
import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';

/** Into `folder`, where there is none yet, as if its gateway had made them at an earlier start; resolves to it. */
export async function giveHostKeys(folder: string): Promise<string> {
  const made = process.env['TEST_HOST_KEYS'];
  if (made && !existsSync(folder)) await cp(made, folder, { recursive: true });
  return folder;
}
