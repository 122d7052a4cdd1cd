import type { ConnectionLayer } from '../connection-layer.ts';

export interface KeepAliveRules {
  /** 0: never. */
  readonly intervalMs: number;
  readonly countMax: number;
}

/** Asks for a sign of life, as ssh(1)'s ServerAliveInterval; `onDead` after so many unanswered. Returns what stops it. */
export function keepAlive(
  layer: ConnectionLayer,
  { intervalMs, countMax }: KeepAliveRules,
  onDead: () => void,
): () => void {
  if (intervalMs === 0) return () => {};
  let unanswered = 0;
  const timer = setInterval(() => {
    if (unanswered >= countMax) return onDead();
    unanswered++;
    // A refusal is an answer too.
    void layer.ask('keepalive@openssh.com', Buffer.alloc(0)).then(() => {
      unanswered = 0;
    });
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
