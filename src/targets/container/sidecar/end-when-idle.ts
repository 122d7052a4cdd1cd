import type { InsideConnection } from './inside-connection.ts';

type Idling = Pick<InsideConnection, 'load' | 'asked' | 'close' | 'onClose'>;

/** Only a whole `idleMs` without a stream counts, however short those are that it is asked for. */
export function endWhenIdle(connection: Idling, idleMs: number): void {
  let idleSince = performance.now();
  let askedBefore = connection.asked;
  const check = setInterval(
    () => {
      const isUsed = connection.load > 0 || connection.asked !== askedBefore;
      askedBefore = connection.asked;
      if (isUsed) idleSince = performance.now();
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
