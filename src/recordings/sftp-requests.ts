/**
 * What of SFTP's requests is worth a line (draft-ietf-secsh-filexfer-02, which every client speaks, and OpenSSH's PROTOCOL 4):
 * those that change something, open something, or count.
 */
import type { FileOperation } from './file-operation.ts';
import type { FieldReader } from './packet-prefixes.ts';
import type { Opening } from './sftp-files.ts';

type Told = Omit<FileOperation, 'outcome'>;

/** An answer is waited for. Handles are in hex, and looked up when it comes: clients may name one before they were told it. */
export type SftpRequest =
  | { readonly kind: 'operation'; readonly operation: Told }
  | Opening
  | { readonly kind: 'read'; readonly handle: string }
  | { readonly kind: 'write'; readonly handle: string; readonly bytes: number }
  | { readonly kind: 'attributes'; readonly handle: string; readonly detail: string }
  | { readonly kind: 'copy'; readonly handle: string; readonly to: string }
  | { readonly kind: 'close'; readonly handle: string };

type ReadFields = (fields: FieldReader) => SftpRequest | undefined;

/** Its id and what it asks; undefined for what changes nothing and shows no contents. Throws RangeError where a field is cut off. */
export function parseSftpRequest(
  fields: FieldReader,
): { readonly id: number; readonly request: SftpRequest } | undefined {
  const read = requests[fields.uint8()];
  const id = fields.uint32();
  const request = read?.(fields);
  return request && { id, request };
}

const operation = (of: Told): SftpRequest => ({ kind: 'operation', operation: of });
const handleOf = (fields: FieldReader) => fields.bytes().toString('hex');

const onePath =
  (op: FileOperation['op']): ReadFields =>
  (fields) =>
    operation({ op, path: fields.text() });

const twoPaths =
  (op: FileOperation['op']): ReadFields =>
  (fields) =>
    operation({ op, path: fields.text(), to: fields.text() });

/** Of SSH_FXP_OPEN: WRITE, APPEND, CREAT, TRUNC. */
const writeFlags = 0x02 | 0x04 | 0x08 | 0x10;

const setStat: ReadFields = (fields) =>
  operation({ op: 'attributes', path: fields.text(), detail: attributesOf(fields) });

/** By type of packet. */
const requests: Readonly<Record<number, ReadFields>> = {
  3: (fields) => ({ kind: 'open', path: fields.text(), writes: (fields.uint32() & writeFlags) !== 0 }),
  4: (fields) => ({ kind: 'close', handle: handleOf(fields) }),
  5: (fields) => ({ kind: 'read', handle: handleOf(fields) }),
  6: (fields) => {
    const handle = handleOf(fields);
    fields.uint64();
    return { kind: 'write', handle, bytes: fields.uint32() };
  },
  9: setStat,
  10: (fields) => ({ kind: 'attributes', handle: handleOf(fields), detail: attributesOf(fields) }),
  11: (fields) => ({ kind: 'list', path: fields.text() }),
  13: onePath('remove'),
  14: onePath('mkdir'),
  15: onePath('rmdir'),
  18: twoPaths('rename'),
  // OpenSSH's order, which everybody follows: where it points, then the link.
  20: (fields) => {
    const to = fields.text();
    return operation({ op: 'symlink', path: fields.text(), to });
  },
  200: (fields) => extensions[fields.text()]?.(fields),
};

const extensions: Readonly<Record<string, ReadFields>> = Object.assign(Object.create(null), {
  'posix-rename@openssh.com': twoPaths('rename'),
  'hardlink@openssh.com': twoPaths('hardlink'),
  'lsetstat@openssh.com': setStat,
  'copy-data': (fields: FieldReader): SftpRequest => {
    const handle = handleOf(fields);
    fields.uint64();
    fields.uint64();
    return { kind: 'copy', handle, to: handleOf(fields) };
  },
});

/** SSH_FILEXFER_ATTR_SIZE, UIDGID, PERMISSIONS, ACMODTIME. */
function attributesOf(fields: FieldReader): string {
  const flags = fields.uint32();
  const told: string[] = [];
  if (flags & 1) told.push(`size ${fields.uint64()}`);
  if (flags & 2) told.push(`owner ${fields.uint32()}:${fields.uint32()}`);
  if (flags & 4) told.push(`mode ${(fields.uint32() & 0o7777).toString(8).padStart(4, '0')}`);
  if (flags & 8) told.push('times');
  return told.join(', ');
}
