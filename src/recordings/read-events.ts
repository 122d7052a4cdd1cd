/** Reads a recording line by line; what is no event is left out, and no line is longer than one of ours can be. */
import { StringDecoder } from 'node:string_decoder';
import { type CastEvent, type CastHeader, parseEvent, parseHeader } from './asciicast.ts';

/** Of what one write took down, escaped. */
const maxLine = 16 * 1024 * 1024;

/** Lines without their newlines; a longer one is left out. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let held: string[] = [];
  let heldLength = 0;
  for await (const chunk of chunks) {
    const parts = decoder.write(chunk).split('\n');
    for (const [index, part] of parts.entries()) {
      heldLength += part.length;
      if (heldLength <= maxLine) held.push(part);
      if (index === parts.length - 1) break;
      if (heldLength <= maxLine) yield held.join('');
      held = [];
      heldLength = 0;
    }
  }
  if (heldLength > 0 && heldLength <= maxLine) yield held.join('');
}

export async function* readEvents(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<{ readonly header: CastHeader } | { readonly event: CastEvent }> {
  for await (const line of linesOf(chunks)) {
    const event = parseEvent(line);
    const header = event ? undefined : parseHeader(line);
    if (event) yield { event };
    else if (header) yield { header };
  }
}
