/** What the engine tells of its containers, as it happens. */
import type { Readable } from 'node:stream';
import type { ContainerEvent } from '../target.ts';
import type { EngineApi } from './engine-api.ts';
import { translateEngineError } from './engine-errors.ts';

/** An event carries the container's labels: far less than that. */
const maxLineBytes = 1024 * 1024;

/** Resolves when the engine has begun to tell. Throws engine-unavailable, engine-failed. */
export async function openEvents(
  engine: EngineApi,
  closed: AbortSignal,
): Promise<AsyncIterable<ContainerEvent>> {
  const stream = await engine.openEvents(closed).catch((error) => {
    throw translateEngineError(error);
  });
  return readEvents(stream);
}

/** Ends where the stream does, however it does; leaving the loop destroys it. Lines that are no event are passed over. */
export async function* readEvents(stream: Readable): AsyncGenerator<ContainerEvent> {
  let rest = '';
  try {
    for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > maxLineBytes) return;
      for (const line of lines) {
        const id = idIn(line);
        if (id !== undefined) yield { id };
      }
    }
  } catch {
    // A connection that breaks is an end like any other: whoever reads this connects again.
  }
}

function idIn(line: string): string | undefined {
  try {
    const { Actor } = JSON.parse(line) as { Actor?: { ID?: unknown } };
    return typeof Actor?.ID === 'string' && Actor.ID !== '' ? Actor.ID : undefined;
  } catch {
    return undefined;
  }
}
