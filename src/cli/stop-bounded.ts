import type { Gateway } from '../gateway.ts';

const stopDeadlineMs = 15_000;

/** Stops it, and ends the process where that takes too long. */
export async function stopBounded(gateway: Gateway, reason?: string): Promise<void> {
  setTimeout(() => process.exit(1), stopDeadlineMs).unref();
  await gateway.stop(undefined, reason);
}
