/** Random bytes by the handful, out of a stock: each call to the system's generator costs as much as the encryption of 32 KiB. */
import { randomFillSync } from 'node:crypto';

const stock = Buffer.allocUnsafeSlow(16 * 1024);
let used = stock.length;

/** So many bytes, 16 KiB at most, which are there until the next call; no byte of the stock is given out twice. */
export function takeRandom(count: number): Uint8Array {
  if (count > stock.length) throw new RangeError(`${count} random bytes are more than a handful`);
  if (used + count > stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  used += count;
  return stock.subarray(used - count, used);
}
