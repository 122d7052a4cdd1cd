/**
 * Watches lines for a private key pasted or piped in, so that its body is neither run, echoed nor kept.
 * A key is over with its last line; a caller may also call `reset` when no more lines come for a while.
 */
export interface PrivateKeyGuard {
  /** `begins`: tell the person once. `inside`: drop the line. `clean`: nothing to do with a key. */
  check(line: string): 'clean' | 'begins' | 'inside';
  isInside(): boolean;
  reset(): void;
}

interface Format {
  readonly begin: RegExp;
  readonly end: RegExp;
}

const formats: readonly Format[] = [
  { begin: /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----/, end: /-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----/ },
  { begin: /---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----/, end: /---- END SSH2 ENCRYPTED PRIVATE KEY ----/ },
  { begin: /PuTTY-User-Key-File-\d/, end: /^Private-(?:MAC|Hash):/ },
  // The body without its frame: the base64 of "openssh-key-v1", to the first line that is not full.
  { begin: /b3BlbnNzaC1rZXktdjE/, end: /^.{0,69}$/ },
];

/** Whether a line holds the beginning of a private key, framed or bare. */
export function beginsPrivateKey(line: string): boolean {
  return formats.some(({ begin }) => begin.test(line));
}

export function createPrivateKeyGuard(): PrivateKeyGuard {
  let inside: Format | undefined;
  return {
    isInside: () => inside !== undefined,
    reset: () => {
      inside = undefined;
    },
    check(line) {
      if (inside) {
        if (inside.end.test(line)) inside = undefined;
        return 'inside';
      }
      const format = formats.find(({ begin }) => begin.test(line));
      if (!format) return 'clean';
      if (!format.end.test(line)) inside = format;
      return 'begins';
    },
  };
}
