import { createHash } from 'node:crypto';

/** A short name for what something is made of: it changes when that changes. */
export function recipeHash(recipe: string): string {
  return createHash('sha256').update(recipe).digest('hex').slice(0, 16);
}
