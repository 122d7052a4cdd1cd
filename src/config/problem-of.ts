/** What is wrong with a configuration value, as people say it: zod speaks of its own types. */
import type { z } from 'zod';

type Issue = z.core.$ZodRawIssue;

const kinds: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list in JSON',
  object: 'an object in JSON',
};

/** Undefined: zod's own words. A value whose schema has a sentence of its own never gets here. */
export function problemOf(issue: Issue): string | undefined {
  if (issue.code === 'invalid_type') {
    const kind = kinds[issue.expected];
    return kind && `must be ${kind}`;
  }
  if (issue.code === 'too_small') {
    if (issue.origin === 'string') return 'must not be empty';
    return `must be ${issue.inclusive === false ? `more than ${issue.minimum}` : `${issue.minimum} or more`}`;
  }
  if (issue.code === 'too_big') return `must be ${issue.maximum} or less`;
  if (issue.code !== 'invalid_value') return undefined;
  const values = issue.values.map(String);
  return `must be ${[values.slice(0, -1).join(', '), values.at(-1)].filter(Boolean).join(' or ')}`;
}
