/**
 * Secrets in what people type: tokens, invite codes, private keys, codes of a second factor. Masked before a line reaches a log,
 * the audit, `session list`, the history or an error text.
 */
import { isGatewayError } from '../../errors.ts';
import { maxLineBytes, splitWords } from './words.ts';

const patterns: readonly (readonly [RegExp, string])[] = [
  // To its end, or to the end of the text when the end was cut off.
  [
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|$)/g,
    '[private key]',
  ],
  [
    /---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----[\s\S]*?(?:---- END SSH2 ENCRYPTED PRIVATE KEY ----|$)/g,
    '[private key]',
  ],
  [/PuTTY-User-Key-File-\d[\s\S]*/g, '[private key]'],
  // The base64 of "openssh-key-v1\0", should the frame be missing.
  [/b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/=\s]*/g, '[private key]'],
  [/\b(exe[01])\.[A-Za-z0-9_.=+/-]+/gi, '$1.***'],
  // A JWT, which carries an exe1. It is looked for only where dots follow: from each eyJ to the end costs 15 s in 256 KiB of them.
  [/(?<![\w-])(?=[\w-]+\.[\w-]+\.[\w-])([\w-]*?)\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '$1eyJ***'],
  [/\bjoin\+[^\s@'"]+/gi, 'join+***'],
  // An invite's code by itself, as somebody pastes it into `invite revoke`.
  [/\b[a-z2-7]{26}\b/g, '***'],
  // A recovery code, wherever it stands; a code from an app where it can be one.
  [/\b[a-z2-7]{4}(?:-[a-z2-7]{4}){3}\b/gi, '***'],
  [/\b(mfa\s[\s\S]{0,200}?)\b\d{3}[\s-]?\d{3}\b/gi, '$1***'],
  // Either may be typed with blanks anywhere, or without hyphens; and what was refused may still be good.
  [/\b(mfa\s{1,9}(?:--?\w{1,9}\s{1,9}){0,9}(?:confirm|disable|verify)\s{1,9})\S[\s\S]*/gi, '$1***'],
];

/** `text` with every secret in it replaced; also one that quotes or backslashes were to hide. */
export function maskSecrets(text: string): string {
  const masked = replaceSecrets(text);
  if (!/['"\\]/.test(masked) || masked.length > maxLineBytes) return masked;
  const words = wordsOrNone(masked);
  const plain = replaceSecrets(words.map(replaceSecrets).join(' '));
  return plain === words.join(' ') ? masked : plain;
}

export function holdsSecret(text: string): boolean {
  return maskSecrets(text) !== text;
}

const replaceSecrets = (text: string) =>
  patterns.reduce((masked, [pattern, replacement]) => masked.replace(pattern, replacement), text);

function wordsOrNone(line: string): string[] {
  try {
    return splitWords(line);
  } catch (error) {
    if (isGatewayError(error, 'usage')) return [];
    throw error;
  }
}
