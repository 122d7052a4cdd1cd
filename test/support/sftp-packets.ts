/** SFTP packets, as clients and servers send them (draft-ietf-secsh-filexfer-02). */

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

export const text = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
};

/** Type, id and fields, framed. */
export function packet(type: number, id: number, ...fields: readonly Buffer[]): Buffer {
  return text(Buffer.concat([Buffer.from([type]), uint32(id), ...fields]));
}
