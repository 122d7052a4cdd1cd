/**
 * Node cuts small buffers out of slabs of 64 KiB, and one that is kept keeps its slab. So what lives as long as a
 * connection stands on its own.
 */

/** Calls `make`; the buffers that it allocates are not of the pool. */
export function outsidePool<Made>(make: () => Made): Made {
  const { poolSize } = Buffer;
  Buffer.poolSize = 0;
  try {
    return make();
  } finally {
    Buffer.poolSize = poolSize;
  }
}

/** Puts a copy that stands on its own in the place of each buffer of `holder` that is of the pool. */
export function leavePool(holder: object): void {
  for (const [name, value] of Object.entries(holder)) {
    if (!Buffer.isBuffer(value) || value.buffer.byteLength === value.length) continue;
    const copy = Buffer.allocUnsafeSlow(value.length);
    copy.set(value);
    Object.assign(holder, { [name]: copy });
  }
}
