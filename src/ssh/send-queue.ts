/** What waits to be sent on a channel: both outputs in one order, at the pace of the peer's window and of the socket. */
import type { ChannelWire } from './channel.ts';

export interface SendQueueOptions {
  readonly wire: Pick<ChannelWire, 'sendData' | 'sendStderr' | 'isWritable' | 'onWritable'>;
  /** The peer's number of the channel. */
  readonly remote: number;
  readonly windowBytes: number;
  readonly packetBytes: number;
  readonly isOpen: () => boolean;
}

type Done = (error?: Error | null) => void;

interface PendingWrite {
  data: Buffer;
  readonly stderr: boolean;
  readonly done: Done;
}

/** RFC 4254 §5.2: the window never exceeds 2^32 - 1. */
const maxWindowBytes = 0xffffffff;

export class SendQueue {
  readonly #options: SendQueueOptions;
  #window: number;
  #pending: PendingWrite[] = [];
  #waitsForSocket = false;
  /** Set once the peer takes no more of stdout: called when a program writes there all the same. */
  #brokenPipe: (() => void) | undefined;
  bytesSent = 0;

  constructor(options: SendQueueOptions) {
    this.#options = options;
    this.#window = options.windowBytes;
  }

  /** An empty write has its place in the queue too: it tells when all before it has left. */
  write(data: Buffer, stderr: boolean, done: Done): void {
    if (this.#brokenPipe && !stderr) {
      if (data.length > 0) this.#brokenPipe();
      return done();
    }
    this.#pending.push({ data, stderr, done });
    if (this.#pending.length === 1) this.#flush();
  }

  /** False: that would be more than a window can be. */
  widen(bytes: number): boolean {
    this.#window += bytes;
    if (this.#window > maxWindowBytes) return false;
    this.#flush();
    return true;
  }

  /** What is written to stdout from now on is dropped, and `onBrokenPipe` called at the first byte. */
  breakPipe(onBrokenPipe: () => void): void {
    this.#brokenPipe = onBrokenPipe;
    const dropped = this.#pending.filter((write) => !write.stderr);
    this.#pending = this.#pending.filter((write) => write.stderr);
    if (dropped.some((write) => write.data.length > 0)) onBrokenPipe();
    for (const write of dropped) write.done();
    this.#flush();
  }

  /** Writers are let go rather than failed: the channel's `gone` tells them, and no stream throws for want of a listener. */
  letGo(): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const write of pending) write.done();
  }

  #flush(): void {
    const { wire, remote, packetBytes, isOpen } = this.#options;
    while (this.#pending.length > 0 && isOpen()) {
      const write = this.#pending[0] as PendingWrite;
      while (write.data.length > 0) {
        if (this.#window === 0) return;
        if (!wire.isWritable()) return this.#waitForSocket();
        const size = Math.min(write.data.length, this.#window, packetBytes);
        const packet = size === write.data.length ? write.data : write.data.subarray(0, size);
        write.data = write.data.subarray(size);
        this.#window -= size;
        this.bytesSent += size;
        if (write.stderr) wire.sendStderr(remote, packet);
        else wire.sendData(remote, packet);
        if (!isOpen()) return;
      }
      this.#pending.shift();
      write.done();
    }
  }

  #waitForSocket(): void {
    if (this.#waitsForSocket) return;
    this.#waitsForSocket = true;
    this.#options.wire.onWritable(() => {
      this.#waitsForSocket = false;
      this.#flush();
    });
  }
}
