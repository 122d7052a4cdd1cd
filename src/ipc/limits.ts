/** Bounds of a connection between two processes. Both sides keep them, so whoever exceeds them is broken, and is left. */
export interface PeerLimits {
  /** Of a frame; but an answer that was asked for as a large one. */
  readonly maxFrameBytes: number;
  readonly maxLargeAnswerBytes: number;
  /** Requests that are not answered yet, in one direction. More wait with whoever asks. */
  readonly maxUnderWay: number;
  readonly maxUnderWayBytes: number;
  /** Requests that wait for their turn to be sent. */
  readonly maxWaiting: number;
  /** Of what the other side does not take. */
  readonly maxQueuedBytes: number;
}

const mib = 1024 * 1024;

export const peerLimits: PeerLimits = {
  maxFrameBytes: 4 * mib,
  maxLargeAnswerBytes: 512 * mib,
  maxUnderWay: 1_024,
  maxUnderWayBytes: 32 * mib,
  maxWaiting: 10_000,
  maxQueuedBytes: 64 * mib,
};

/** Of a frame, before somebody has said hello. */
export const maxHelloBytes = 64 * 1024;
