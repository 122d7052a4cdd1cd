/** Lines of a JSON file, for sentences about it: JSON.parse names a place for some faults only. */

/** The first line (from 1) at which `text`, which JSON.parse refused, is no longer the beginning of something sound. */
export function findFaultyLine(text: string): number {
  const lines = text.trimEnd().split('\n');
  const faulty = lines.findIndex((_, index) => !isBeginning(lines.slice(0, index + 1).join('\n')));
  return (faulty === -1 ? lines.length - 1 : faulty) + 1;
}

function isBeginning(text: string): boolean {
  const trimmed = text.trimEnd();
  try {
    JSON.parse(trimmed);
    return true;
  } catch (error) {
    const { message } = error as Error;
    const [, position] = /at position (\d+)/.exec(message) ?? [];
    // A string does not go on behind the end of its line.
    if (message.startsWith('Unterminated string')) return false;
    return message.includes('end of JSON input') || Number(position) >= trimmed.length;
  }
}

/** The line (from 1) at which a member called `key` stands; undefined where it is written in some other way. */
export function findLineOfKey(text: string, key: string): number | undefined {
  const at = text.search(new RegExp(`"${key.replace(/[^\w]/g, '\\$&')}"\\s*:`));
  return at === -1 ? undefined : text.slice(0, at).split('\n').length;
}
