/**
 * What a connection forwards into one target is taken down together: who opened what, how long it lasted, how many bytes.
 * The recording ends when nothing was open for a minute; what is opened later begins another.
 */
import { printable } from '../platform/printable.ts';
import type { RecordingMode } from './recording-modes.ts';
import type { Recording, RecordingFacts, Recordings } from './recordings.ts';

export interface ForwardTraffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
}

export interface ForwardLog {
  /** Aborted when no more can be written. */
  readonly failed: AbortSignal;
  /** `what` was opened; the returned function tells of its end. */
  opened(what: string): (traffic: ForwardTraffic) => void;
}

export interface ForwardLogs {
  /** Throws RecordingImpossible. */
  open(facts: RecordingFacts, mode: RecordingMode): Promise<ForwardLog>;
}

const idleMs = 60_000;

interface Shared {
  readonly recording: Promise<Recording>;
  /** Forwards open now. */
  users: number;
  idle: NodeJS.Timeout | undefined;
}

export function createForwardLogs(recordings: Pick<Recordings, 'open'>): ForwardLogs {
  const shared = new Map<string, Shared>();

  function find(facts: RecordingFacts, mode: RecordingMode): { key: string; log: Shared } {
    const key = JSON.stringify([facts.connectionId, facts.accountId, facts.targetKey, facts.user, mode]);
    const found = shared.get(key);
    if (found) return { key, log: found };
    const log: Shared = { recording: recordings.open(facts, mode), users: 0, idle: undefined };
    const forget = () => {
      if (shared.get(key) === log) shared.delete(key);
    };
    shared.set(key, log);
    log.recording.then(({ failed }) => failed.addEventListener('abort', forget, { once: true }), forget);
    return { key, log };
  }

  const restIfIdle = (key: string, log: Shared) => {
    clearTimeout(log.idle);
    if (log.users > 0) return;
    log.idle = setTimeout(() => {
      if (shared.get(key) === log) shared.delete(key);
      log.recording.then(
        (recording) => recording.finish({ forwards: 'closed' }),
        () => {},
      );
    }, idleMs).unref();
  };

  return {
    async open(facts, mode) {
      const { key, log } = find(facts, mode);
      restIfIdle(key, log);
      const recording = await log.recording;
      return {
        failed: recording.failed,
        opened(what) {
          log.users++;
          restIfIdle(key, log);
          tell(recording, { opened: what }, `opened ${what}`);
          return (traffic) => {
            log.users--;
            const { bytesIn, bytesOut, durationMs } = traffic;
            const counted = `${bytesIn} bytes in, ${bytesOut} out, ${(durationMs / 1000).toFixed(1)} s`;
            tell(recording, { closed: what, bytesIn, bytesOut, durationMs }, `closed ${what}: ${counted}`);
            restIfIdle(key, log);
          };
        },
      };
    },
  };
}

function tell(recording: Recording, forward: Readonly<Record<string, unknown>>, text: string): void {
  recording.write('x', JSON.stringify({ forward }));
  recording.write('o', `${printable(text)}\r\n`);
}
