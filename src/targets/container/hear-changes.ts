/** An engine's events, for lists that are kept as long as it is heard. */
import type { EngineApi } from './engine-api.ts';

export interface Hearing {
  /** Whether the engine tells of every change now. */
  isOpen(): boolean;
  /** Nothing is called after that. */
  close(): void;
}

export interface Heard {
  readonly onOpen?: () => void;
  readonly onChange: () => void;
  /** The engine tells no more, or never has. */
  readonly onEnd: () => void;
}

export function hearChanges(
  engine: Pick<EngineApi, 'openChanges'>,
  { onOpen, onChange, onEnd }: Heard,
): Hearing {
  const closing = new AbortController();
  const { signal } = closing;
  let hasBegun = false;
  const end = () => {
    if (signal.aborted) return;
    closing.abort();
    onEnd();
  };
  engine.openChanges(signal).then((stream) => {
    const leave = () => stream.destroy();
    signal.addEventListener('abort', leave, { once: true });
    stream.on('data', onChange).on('end', end).on('close', end).on('error', end);
    if (signal.aborted) return leave();
    hasBegun = true;
    onOpen?.();
  }, end);
  return {
    isOpen: () => hasBegun && !signal.aborted,
    close: () => closing.abort(),
  };
}
