import type { InsideConnection } from './inside-connection.ts';

/** Also when it is asked again and again: only a whole `idleMs` without a stream counts. */
export function endWhenIdle(connection: InsideConnection, idleMs: number): void {
  let idleSince = performance.now();
  const check = setInterval(
    () => {
      if (connection.load > 0) idleSince = performance.now();
      else if (performance.now() - idleSince >= idleMs) connection.close();
    },
    Math.max(idleMs / 20, 10),
  );
  check.unref();
  connection.onClose(() => clearInterval(check));
}

/** Of one that is left: longer than whoever chose it before takes to ask it for something. */
const leftIdleMs = 5_000;

export interface Left {
  readonly all: ReadonlySet<InsideConnection>;
  /** It serves what it has, and nothing new: soon after the end of that it ends. */
  leave(connection: InsideConnection): void;
}

/** `idleMs`: no longer than what is not left. */
export function createLeft(idleMs: number): Left {
  const all = new Set<InsideConnection>();
  return {
    all,
    leave(connection) {
      if (!connection.isOpen || all.has(connection)) return;
      all.add(connection);
      connection.onClose(() => all.delete(connection));
      endWhenIdle(connection, Math.min(idleMs, leftIdleMs));
    },
  };
}
