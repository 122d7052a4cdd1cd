import type { KeyRestrictions } from '../../store/schema.ts';

/** Each field under the name authorized_keys has for it. */
const optionNames: { readonly [K in keyof Required<KeyRestrictions>]: string } = {
  from: 'from',
  command: 'command',
  noPty: 'no-pty',
  noPortForwarding: 'no-port-forwarding',
  noAgentForwarding: 'no-agent-forwarding',
  permitOpen: 'permitopen',
  permitListen: 'permitlisten',
  environment: 'environment',
  noTouchRequired: 'no-touch-required',
  verifyRequired: 'verify-required',
};

type Entry = readonly [option: string, value: string | boolean | readonly string[]];

const entriesOf = (restrictions: KeyRestrictions): readonly Entry[] =>
  Object.entries(optionNames).flatMap(([field, option]) => {
    const value = restrictions[field as keyof KeyRestrictions];
    return value === undefined || value === false ? [] : [[option, value] as const];
  });

/** For JSON: `{"from": "…", "no_pty": true, "permitopen": ["…"]}`; undefined when there is nothing to say. */
export function restrictionsData(restrictions: KeyRestrictions): Record<string, unknown> | undefined {
  const entries = entriesOf(restrictions);
  if (entries.length === 0) return undefined;
  return Object.fromEntries(entries.map(([option, value]) => [option.replaceAll('-', '_'), value]));
}

/** For people: `from=10.0.0.0/8`, `no-pty`, `permitopen=web:22`. */
export function restrictionsParts(restrictions: KeyRestrictions): readonly string[] {
  return entriesOf(restrictions).flatMap(([option, value]) => {
    if (value === true) return [option];
    return (Array.isArray(value) ? value : [value]).map((one) => `${option}=${one}`);
  });
}
