/** An engine's changes, for what is kept as long as it is heard. */
import type { OpenChanges } from './changes.ts';

export interface Hearing {
  /** Whether the engine tells of every change now. */
  isOpen(): boolean;
  /** Nothing is called after that. */
  close(): void;
}

export interface Heard {
  readonly onOpen?: () => void;
  readonly onChange: () => void;
  /** The engine tells no more, or never has; then told why, where it has said. */
  readonly onEnd: (error?: unknown) => void;
}

export function hearChanges(
  engine: { readonly openChanges: OpenChanges },
  { onOpen, onChange, onEnd }: Heard,
): Hearing {
  const closing = new AbortController();
  const { signal } = closing;
  let hasBegun = false;
  const end = (error?: unknown) => {
    if (signal.aborted) return;
    closing.abort();
    onEnd(error);
  };
  engine.openChanges(signal).then((stream) => {
    const leave = () => stream.destroy();
    signal.addEventListener('abort', leave, { once: true });
    stream.on('data', onChange).on('end', end).on('error', end).on('close', end);
    if (signal.aborted) return leave();
    hasBegun = true;
    onOpen?.();
  }, end);
  return {
    isOpen: () => hasBegun && !signal.aborted,
    close: () => closing.abort(),
  };
}
