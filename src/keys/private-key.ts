const signs = [
  // PEM of any kind, OpenSSH's own among them.
  /-----\s*BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY/i,
  /---- BEGIN SSH2 (ENCRYPTED )?PRIVATE KEY/i,
  /PuTTY-User-Key-File-\d/i,
  /^Private-(Lines|MAC|Hash):/im,
  // "openssh-key-v1" in base64: the body without its frame.
  /b3BlbnNzaC1rZXktdjE/,
];

/** Whether text holds a private key, or an evident part of one, in any of the formats people have on disk. */
export function holdsPrivateKey(text: string): boolean {
  // What PowerShell pipes may be UTF-16.
  const plain = text.replaceAll('\0', '');
  return signs.some((sign) => sign.test(plain));
}
