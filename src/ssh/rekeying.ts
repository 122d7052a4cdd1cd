/** New keys from our side after so many bytes or so long, RFC 4253 §9; ssh2 never asks for any (library-traps 5). */
import type { Connection } from 'ssh2';

export interface RekeyLimits {
  /** Both directions together, as they are on channels. */
  readonly bytes: number;
  readonly intervalMs: number;
}

export interface Rekeying {
  count(bytes: number): void;
  stop(): void;
}

/** What waits for new keys is queued by ssh2 without a bound, so a peer may not take its time. */
const answerWithinMs = 30_000;

/** Counts until the next exchange, whoever begins it. `onUnanswered`: the peer did not take part in ours. */
export function rekeyAutomatically(
  client: Connection,
  limits: RekeyLimits,
  onUnanswered: () => void,
): Rekeying {
  let answerDeadline: NodeJS.Timeout | undefined;
  let bytes = 0;
  let asked = false;
  const ask = () => {
    if (asked) return;
    asked = true;
    client.rekey();
    answerDeadline = setTimeout(onUnanswered, answerWithinMs).unref();
  };
  let timer = setTimeout(ask, limits.intervalMs).unref();
  const onRekey = () => {
    bytes = 0;
    asked = false;
    clearTimeout(answerDeadline);
    clearTimeout(timer);
    timer = setTimeout(ask, limits.intervalMs).unref();
  };
  client.on('rekey', onRekey);
  return {
    count(more) {
      bytes += more;
      if (bytes >= limits.bytes) ask();
    },
    stop() {
      clearTimeout(timer);
      clearTimeout(answerDeadline);
    },
  };
}
