import type { InsideConnection } from './inside-connection.ts';

/** Also when it is asked again and again: only a whole `idleMs` without a stream counts. */
export function endWhenIdle(connection: InsideConnection, idleMs: number): void {
  let idleSince = Date.now();
  const check = setInterval(
    () => {
      if (connection.load > 0) idleSince = Date.now();
      else if (Date.now() - idleSince >= idleMs) connection.close();
    },
    Math.max(idleMs / 20, 10),
  );
  check.unref();
  connection.onClose(() => clearInterval(check));
}
