/** A stream of somebody else's with what a socket says of itself: how many bytes went each way. */
import { Duplex } from 'node:stream';

/** Each side ends by itself, at the other's pace; destroying one destroys the other. */
export class CountedStream extends Duplex {
  bytesRead = 0;
  bytesWritten = 0;
  readonly #inner: Duplex;

  constructor(inner: Duplex) {
    super({ allowHalfOpen: true });
    this.#inner = inner;
    inner.on('data', (chunk: Buffer) => {
      this.bytesRead += chunk.length;
      if (!this.push(chunk)) inner.pause();
    });
    inner.once('end', () => this.push(null));
    inner.on('error', (error) => this.destroy(error));
    // What has ended is still read; what was cut off is not the whole.
    inner.once('close', () => inner.readableEnded || this.destroy());
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.bytesWritten += chunk.length;
    this.#inner.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#inner.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#inner.destroy();
    done(error);
  }
}
