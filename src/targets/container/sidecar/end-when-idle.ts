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
