import type { Migration } from './document.ts';

/** From the schema version found to the next one. Empty while there is only version 1. */
export const migrations: ReadonlyMap<number, Migration> = new Map();
