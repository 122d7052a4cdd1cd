/** What somebody did to files, as a decoder saw it pass. */
import { printable } from '../platform/printable.ts';

export interface FileOperation {
  readonly op:
    | 'upload'
    | 'download'
    | 'open'
    | 'list'
    | 'remove'
    | 'rename'
    | 'mkdir'
    | 'rmdir'
    | 'attributes'
    | 'symlink'
    | 'hardlink'
    | 'copy'
    | 'message';
  /** As it was sent. */
  readonly path: string;
  /** Where a link points, what a name becomes. */
  readonly to?: string;
  readonly bytes?: number;
  readonly detail?: string;
  /** `ok`, or what was answered. */
  readonly outcome: string;
}

/** One line, safe to print. */
export function operationText({ op, path, to, bytes, detail, outcome }: FileOperation): string {
  const parts = [op, path, ...(to === undefined ? [] : ['->', to])];
  if (bytes !== undefined) parts.push(`(${bytes} bytes)`);
  if (detail !== undefined) parts.push(`(${detail})`);
  return printable(`${parts.filter((part) => part !== '').join(' ')}: ${outcome}`);
}

/** Follows a protocol that passes by, both ways; it neither throws nor keeps more than a few hundred KiB. */
export interface FileLog {
  fromClient(bytes: Buffer): void;
  fromServer(bytes: Buffer): void;
  /** What was still under way is told. */
  end(): void;
}

export interface FileLogListener {
  onOperation(operation: FileOperation): void;
  /** What passes is not the protocol, or not any more; nothing is told from here on. */
  onLost(): void;
}
