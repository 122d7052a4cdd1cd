/**
 * What goes over DATA/control.sock: one JSON line each way, a body behind it where there is one, then the end. The
 * socket's mode (0600, in a
 * 0700 folder) is the proof of who asks: the kernel lets nobody else open it.
 */
import { z } from 'zod';
import { socketPath } from '../platform/socket-path.ts';

export const controlRequestSchema = z.strictObject({
  /** A command line of the lobby, or of the operator's own. */
  line: z.string().max(64 * 1024),
  stdin: z.string().max(1024 * 1024),
});

export type ControlRequest = z.infer<typeof controlRequestSchema>;

export interface ControlResponse {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitStatus: number;
}

/** What only the gateway's side of it knows. */
export interface ControlAnswer extends ControlResponse {
  /** Sent behind the line. */
  readonly body?: Buffer;
  /** Done once the answer is out; the socket stays open, for the asker to see when the gateway is gone. */
  readonly afterwards?: () => void;
}

export const maxRequestBytes = 2 * 1024 * 1024;

export const controlSocketPath = (dataDir: string): string => socketPath(dataDir, 'control.sock');
