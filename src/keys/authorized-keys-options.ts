/** The options in front of an authorized_keys line (sshd(8)), taken apart; what they mean stands in key-options. */
import { GatewayError } from '../errors.ts';
import { applyOptions, type KeyOption, type ParsedOptions } from './key-options.ts';

// Inside quotes only \" is special; written so that each text can be read in one way only.
const quotedText = String.raw`"(?:[^"\\]|\\"|\\(?!"))*"`;
const wholeOptions = new RegExp(String.raw`^(?:[^\s"]|${quotedText})*`);
const oneOption = new RegExp(`(?:[^,"]|${quotedText})+`, 'g');
const nameAndValue = new RegExp(`^([A-Za-z0-9@.-]+)(?:=(${quotedText}))?$`);

/** The options, up to the first blank outside quotes, and what follows them. */
export function splitOptions(line: string): [options: string, rest: string] {
  const options = wholeOptions.exec(line)?.[0] ?? '';
  return [options, line.slice(options.length).trim()];
}

/** Throws invalid-key. */
export function parseOptions(text: string): ParsedOptions {
  const options = text.match(oneOption) ?? [];
  if (options.join(',') !== text) {
    throw new GatewayError('invalid-key', {
      problem: 'there is a comma too many between the options of this key.',
    });
  }
  return applyOptions(options.map(toOption));
}

function toOption(option: string): KeyOption {
  const [, name = '', quoted] = nameAndValue.exec(option) ?? [];
  return { name, value: quoted?.slice(1, -1).replaceAll('\\"', '"') };
}
