import { isIP } from 'node:net';
import { GatewayError } from '../errors.ts';
import { excerpt } from '../platform/excerpt.ts';

const maxPatterns = 64;
/** An address has four parts at most that a person would leave open; more would only slow matching down. */
const maxStars = 4;

/** Checks the list in `from="…"` (sshd(8)): addresses, CIDR blocks, `*` and `?`, `!`. Throws invalid-key. */
export function checkFrom(list: string): void {
  const patterns = list.split(',');
  if (patterns.length > maxPatterns) throw invalid(list, `more than ${maxPatterns} patterns`);
  for (const entry of patterns) {
    const pattern = entry.trim().replace(/^!/, '');
    const [base = '', length, ...more] = pattern.split('/');
    if (length !== undefined) {
      const family = isIP(base);
      const fits = /^\d{1,3}$/.test(length) && Number(length) <= (family === 6 ? 128 : 32);
      if (family === 0 || !fits || more.length > 0) throw invalid(pattern, 'no CIDR block like 10.0.0.0/8');
    } else if (!/^[0-9A-Fa-f.:*?]{1,45}$/.test(pattern) || !(/[*?]/.test(pattern) || isIP(pattern))) {
      throw invalid(pattern, 'no address; host names are not looked up here');
    } else if (pattern.split('*').length - 1 > maxStars) {
      throw invalid(pattern, `a pattern with more than ${maxStars} stars`);
    }
  }
}

const invalid = (pattern: string, problem: string) =>
  new GatewayError('invalid-key', { problem: `"${excerpt(pattern)}" in the option from="…" is ${problem}.` });
