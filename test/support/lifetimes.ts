/** What tests share: opened and closed by hooks of the file or describe it is called in, under one name. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';

/** Opened once, closed after the last test. Its members are there from the first hook on. */
export function forAllTests<T extends object>(
  open: () => Promise<T>,
  close: (opened: T) => Promise<unknown>,
): T {
  const shared = {} as T;
  beforeAll(async () => void Object.assign(shared, await open()));
  afterAll(() => close(shared));
  return shared;
}

/** A fresh one for each test. */
export function forEachTest<T extends object>(
  open: () => Promise<T>,
  close: (opened: T) => Promise<unknown> = async () => undefined,
): T {
  const current = {} as T;
  beforeEach(async () => void Object.assign(current, await open()));
  afterEach(() => close(current));
  return current;
}
