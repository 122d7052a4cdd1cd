/**
 * One channel, RFC 4254 §5: a Duplex of its data, a Writable of its stderr, and its requests.
 * Both windows are kept: the peer's is never overrun, and ours is enforced, so that neither a program
 * that writes nor a peer that sends can make memory grow past `maxWindowBytes` and the streams' own marks.
 */
import { Duplex, Readable, Writable } from 'node:stream';
import { message } from './messages.ts';
import { ReceiveWindow } from './receive-window.ts';
import { SendQueue } from './send-queue.ts';
import { boolean, byte, string, uint32, type WireReader } from './wire.ts';

/** The largest packet we take, and the largest we send even to peers that take more. */
export const maxPacketBytes = 32 * 1024;

/** SSH_EXTENDED_DATA_STDERR, RFC 4254 §5.2. */
const stderrType = 1;

/** One for all: to make one, with its stack, costs more than the rest of a channel's end. */
export const channelGone = new Error('the channel is gone');

/** What a channel needs of its connection. */
export interface ChannelWire {
  send(payload: Buffer): void;
  sendData(channel: number, data: Buffer): void;
  sendStderr(channel: number, data: Buffer): void;
  /** Lets what was sent so far leave, before the end of the tick. */
  flush(): void;
  /** False while the socket holds more than it should; `onWritable` calls back once when it has drained. */
  isWritable(): boolean;
  onWritable(listener: () => void): void;
  /** Ends the connection: the peer broke the protocol. */
  fail(problem: string): void;
  release(channel: Channel): void;
}

export interface ChannelOptions {
  /** Ending the stream sends EOF (forwarded bytes); a session's EOF is sent by `endSession`. */
  readonly eofAtFinish: boolean;
  /** Nothing may be sent to us until `openWindow` is called; a session that has not started reads nothing. */
  readonly startsClosed?: boolean;
  /** The peer's stderr (extended data of type 1, RFC 4254 §5.2) is read from `stderrIn`; else it is dropped. */
  readonly takesStderr?: boolean;
}

export interface ChannelNumbers {
  readonly local: number;
  readonly remote: number;
  readonly remoteWindow: number;
  readonly remoteMaxPacket: number;
}

/** Answers a channel request: true is success. Undefined in the map means refused. */
export type RequestHandler = (data: WireReader) => boolean;

export class Channel extends Duplex {
  readonly stderr: Writable;
  readonly stderrIn: Readable | undefined;
  readonly numbers: ChannelNumbers;
  readonly receiveWindow: ReceiveWindow;
  /** By request type, RFC 4254 §5.4; what is absent is refused. */
  readonly requests = new Map<string, RequestHandler>();
  /** Aborted when the channel is closed by the peer, by us, or with its connection. */
  readonly gone: AbortSignal;
  bytesIn = 0;
  readonly #wire: ChannelWire;
  readonly #abort = new AbortController();
  readonly #sending: SendQueue;
  readonly #replies: ((accepted: boolean) => void)[] = [];
  #eofReceived = false;
  #eofSent = false;
  #closeSent = false;
  readonly #eofAtFinish: boolean;
  constructor(wire: ChannelWire, numbers: ChannelNumbers, options: ChannelOptions) {
    super({ allowHalfOpen: true, autoDestroy: false, emitClose: false, highWaterMark: 256 * 1024 });
    this.#wire = wire;
    this.numbers = numbers;
    this.#sending = new SendQueue({
      wire,
      remote: numbers.remote,
      windowBytes: numbers.remoteWindow,
      packetBytes: Math.min(numbers.remoteMaxPacket, maxPacketBytes),
      isOpen: () => this.isOpen,
    });
    this.#eofAtFinish = options.eofAtFinish;
    this.receiveWindow = new ReceiveWindow(!options.startsClosed);
    this.gone = this.#abort.signal;
    this.stderr = new Writable({
      highWaterMark: 256 * 1024,
      autoDestroy: false,
      emitClose: false,
      decodeStrings: true,
      write: (data: Buffer, _encoding, done) => this.#queue(data, true, done),
    });
    if (options.takesStderr) this.stderrIn = this.#incomingStderr();
  }

  get bytesOut(): number {
    return this.#sending.bytesSent;
  }

  get isOpen(): boolean {
    return !this.gone.aborted && !this.#closeSent;
  }

  /** The peer may send from now on. */
  openWindow(): void {
    this.receiveWindow.open();
    this.#grantWindow();
  }

  override _read(): void {}

  /** Not in `_read`, which Node calls before it takes what `read` returns: a window unread as a whole would stay shut. */
  override read(size?: number): Buffer | null {
    const data = super.read(size) as Buffer | null;
    this.#grantWindow();
    return data;
  }

  override _write(data: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#queue(data, false, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#eofAtFinish) this.sendEof();
    done();
  }

  override _destroy(_error: Error | null, done: (error: Error | null) => void): void {
    this.close();
    done(null);
  }

  /** RFC 4254 §5.3: we will send no more data. Once. */
  sendEof(): void {
    if (!this.isOpen || this.#eofSent) return;
    this.#eofSent = true;
    this.#wire.send(Buffer.concat([byte(message.channelEof), uint32(this.numbers.remote)]));
  }

  /** Sends CLOSE; what still waits for window is dropped. */
  close(): void {
    if (this.isOpen) {
      this.#closeSent = true;
      this.#wire.send(Buffer.concat([byte(message.channelClose), uint32(this.numbers.remote)]));
      // Whoever is told that it is gone has much to do.
      this.#wire.flush();
    }
    this.#ended();
  }

  /**
   * The peer takes no more of stdout (eow@openssh.com): what is written there from now on is dropped, and
   * `onBrokenPipe` called at the first byte, as a program meets EPIPE only when it writes.
   */
  stopOutput(onBrokenPipe: () => void): void {
    this.#sending.breakPipe(onBrokenPipe);
  }

  /** A channel request without reply, such as exit-status. */
  sendRequest(type: string, data: Buffer): void {
    if (this.isOpen) this.#wire.send(this.#request(type, false, data));
  }

  /** Resolves to the peer's answer: whether it did as it was asked. False when the channel ends first. */
  askRequest(type: string, data: Buffer): Promise<boolean> {
    if (!this.isOpen) return Promise.resolve(false);
    this.#wire.send(this.#request(type, true, data));
    return new Promise((resolve) => this.#replies.push(resolve));
  }

  /** To the oldest request that wanted one, RFC 4254 §5.4. */
  receiveReply(accepted: boolean): void {
    this.#replies.shift()?.(accepted);
  }

  /** Resolves when everything written so far to both outputs has left, or the channel is gone. */
  async drained(): Promise<void> {
    const outputs: readonly Writable[] = [this, this.stderr];
    // Most often: a turn through two streams would only delay the exit status.
    if (outputs.every(({ writableLength, writableEnded }) => writableLength === 0 && !writableEnded)) return;
    const flushed = (stream: Writable) =>
      new Promise<void>((resolve) => {
        if (stream.writableFinished) resolve();
        else if (stream.writableEnded) stream.once('finish', resolve);
        else stream.write(Buffer.alloc(0), () => resolve());
      });
    if (this.gone.aborted) return;
    await Promise.race([
      Promise.all(outputs.map(flushed)),
      new Promise((resolve) => this.gone.addEventListener('abort', resolve, { once: true })),
    ]);
  }

  /** The peer's data. */
  receiveData(data: Buffer): void {
    if (this.gone.aborted || data.length === 0) return;
    if (!this.receiveWindow.take(data.length)) return this.#wire.fail('data past the window');
    if (this.#eofReceived) return this.#wire.fail('data after EOF');
    this.bytesIn += data.length;
    this.push(data);
    this.#grantWindow();
  }

  /** RFC 4254 §5.2; other types than stderr are dropped. Data on no stream that is read takes its window with it. */
  receiveExtendedData(type: number, data: Buffer): void {
    if (!this.stderrIn || this.gone.aborted || data.length === 0) return;
    if (!this.receiveWindow.take(data.length)) return this.#wire.fail('data past the window');
    if (this.#eofReceived) return this.#wire.fail('data after EOF');
    this.bytesIn += data.length;
    if (type === stderrType) this.stderrIn.push(data);
    this.#grantWindow();
  }

  receiveEof(): void {
    if (this.#eofReceived || this.gone.aborted) return;
    this.#eofReceived = true;
    this.push(null);
    this.stderrIn?.push(null);
  }

  receiveClose(): void {
    this.receiveEof();
    this.close();
  }

  receiveWindowAdjust(bytes: number): void {
    if (!this.#sending.widen(bytes)) this.#wire.fail('a window past 2^32 - 1 bytes');
  }

  receiveRequest(type: string, wantReply: boolean, data: WireReader): void {
    const handler = this.requests.get(type);
    const accepted = handler !== undefined && this.isOpen && handler(data);
    if (!wantReply || !this.isOpen) return;
    const reply = accepted ? message.channelSuccess : message.channelFailure;
    this.#wire.send(Buffer.concat([byte(reply), uint32(this.numbers.remote)]));
  }

  /** The connection is lost: nothing more can be sent. */
  connectionLost(): void {
    this.receiveEof();
    this.#ended();
  }

  #ended(): void {
    if (this.gone.aborted) return;
    this.#wire.release(this);
    this.#abort.abort(channelGone);
    this.#sending.letGo();
    for (const reply of this.#replies.splice(0)) reply(false);
    this.emit('close');
  }

  #queue(data: Buffer, stderr: boolean, done: (error?: Error | null) => void): void {
    if (!this.isOpen || this.#eofSent) return done();
    this.#sending.write(data, stderr, done);
  }

  #request(type: string, wantReply: boolean, data: Buffer): Buffer {
    const to = [byte(message.channelRequest), uint32(this.numbers.remote)];
    return Buffer.concat([...to, string(type), boolean(wantReply), data]);
  }

  #incomingStderr(): Readable {
    return new Readable({
      highWaterMark: 256 * 1024,
      autoDestroy: false,
      emitClose: false,
      read: () => this.#grantWindow(),
    });
  }

  #grantWindow(): void {
    if (!this.isOpen || this.#eofReceived) return;
    const bytes = this.receiveWindow.grant(this.readableLength + (this.stderrIn?.readableLength ?? 0));
    if (bytes === 0) return;
    const fields = [byte(message.channelWindowAdjust), uint32(this.numbers.remote), uint32(bytes)];
    this.#wire.send(Buffer.concat(fields));
  }
}
