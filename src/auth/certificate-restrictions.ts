/** A certificate's critical options and extensions (PROTOCOL.certkeys) as the restrictions a key may have. */
import { isIP } from 'node:net';
import { MalformedBlob } from '../keys/blob-reader.ts';
import type { Certificate } from '../keys/certificate.ts';
import { optionText } from '../keys/certificate-fields.ts';
import { hasControlCharacters } from '../platform/printable.ts';
import type { KeyRestrictions } from '../store/schema.ts';

type Draft = { -readonly [K in keyof KeyRestrictions]: KeyRestrictions[K] };

/** Puts a critical option into effect; returns what is wrong with it. */
type Effect = (draft: Draft, value: Buffer) => string | undefined;

/** What is absent here refuses the certificate: that is what critical means. */
const effects: ReadonlyMap<string, Effect> = new Map<string, Effect>([
  [
    'force-command',
    (draft, value) => {
      const command = optionText(value);
      if (command.trim() === '' || hasControlCharacters(command)) {
        return 'the force-command of this certificate cannot be run';
      }
      draft.command = command;
      return undefined;
    },
  ],
  [
    'source-address',
    (draft, value) => {
      const blocks = optionText(value).split(',').map(asBlock);
      if (blocks.includes(undefined)) return 'the source-address of this certificate is malformed';
      draft.from = blocks.join(',');
      return undefined;
    },
  ],
  [
    'verify-required',
    (draft, value) => {
      draft.verifyRequired = true;
      return value.length > 0 ? 'the verify-required of this certificate takes no value' : undefined;
    },
  ],
]);

const noTouchRequired = 'no-touch-required';

/** An extension that is absent forbids; those that are unknown are passed over (PROTOCOL.certkeys). */
const permits: ReadonlyMap<string, 'noPty' | 'noPortForwarding' | 'noAgentForwarding'> = new Map([
  ['permit-pty', 'noPty'],
  ['permit-port-forwarding', 'noPortForwarding'],
  ['permit-agent-forwarding', 'noAgentForwarding'],
]);

/** `problem`: why the certificate must not be accepted. */
export function certificateRestrictions({
  key,
  criticalOptions,
  extensions,
}: Pick<Certificate, 'key' | 'criticalOptions' | 'extensions'>):
  | KeyRestrictions
  | { readonly problem: string } {
  const draft: Draft = {};
  for (const [name, value] of criticalOptions) {
    const effect = effects.get(name);
    if (!effect) return { problem: `this certificate has a critical option that is not known here, ${name}` };
    const problem = malformed(() => effect(draft, value));
    if (problem !== undefined) return { problem };
  }
  // Only a security key can tell that its holder was verified.
  if (draft.verifyRequired && !key.type.startsWith('sk-')) {
    return { problem: 'this certificate demands a security key' };
  }
  if (extensions.has(noTouchRequired)) draft.noTouchRequired = true;
  for (const [name, forbidden] of permits) {
    if (!extensions.has(name)) draft[forbidden] = true;
  }
  const valued = [...permits.keys(), noTouchRequired].find((name) => (extensions.get(name)?.length ?? 0) > 0);
  if (valued !== undefined) return { problem: `the extension ${valued} of this certificate takes no value` };
  return draft;
}

function malformed(apply: () => string | undefined): string | undefined {
  try {
    return apply();
  } catch (error) {
    if (error instanceof MalformedBlob) return 'a critical option of this certificate is malformed';
    throw error;
  }
}

/** An address as the block that holds it alone, so that it is compared as a number and not as text. */
function asBlock(entry: string): string | undefined {
  const [, address = '', length] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const family = isIP(address);
  if (family === 0) return undefined;
  const longest = family === 4 ? 32 : 128;
  const bits = Number(length ?? longest);
  return bits > longest ? undefined : `${address}/${bits}`;
}
