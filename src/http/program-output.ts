/** What a program in a target writes, on its way into an HTTP answer. */
import type { ServerResponse } from 'node:http';
import { constants } from 'node:os';
import { Writable } from 'node:stream';
import type { SessionEnd } from '../sessions/session.ts';

export interface ProgramOutput {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Of both, so far. */
  bytesOut(): number;
}

/** Why a stream ended that was not the program's own end. */
export type StreamFault = 'timeout' | 'revoked' | (string & {});

export interface StreamedOutput extends ProgramOutput {
  /** Something was sent: it is too late for a status. */
  hasBegun(): boolean;
  finish(exit: number, fault?: StreamFault): void;
}

const exitTrailer = 'X-Exe-Exit';
const errorTrailer = 'X-Exe-Error';

/**
 * Stdout and stderr as they come, mixed, at the client's pace; the exit status follows as a trailer (RFC 9110 §6.5).
 * HTTP/1.0 has no trailers: a stream that did not come to its own end is cut off there.
 */
export function streamOutput(
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
): StreamedOutput {
  let over = false;
  let bytesOut = 0;
  const hasTrailers = response.req.httpVersionMinor > 0;
  const begin = (exit?: number) => {
    if (response.headersSent) return;
    response.writeHead(200, {
      ...headers,
      'content-type': 'application/octet-stream',
      'cache-control': 'no-store',
      ...(hasTrailers ? { trailer: `${exitTrailer}, ${errorTrailer}` } : {}),
      ...(exit === undefined ? {} : { [exitTrailer]: String(exit) }),
    });
  };
  const writable = () =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        if (over || response.destroyed || response.writableEnded) return done();
        begin();
        bytesOut += chunk.length;
        if (response.write(chunk)) return done();
        const go = () => {
          response.off('drain', go);
          response.off('close', go);
          done();
        };
        response.on('drain', go);
        response.on('close', go);
      },
    });
  return {
    stdout: writable(),
    stderr: writable(),
    bytesOut: () => bytesOut,
    hasBegun: () => response.headersSent,
    finish(exit, fault) {
      over = true;
      if (response.destroyed || response.writableEnded) return;
      begin(fault === undefined ? exit : undefined);
      if (fault !== undefined && !hasTrailers) return void response.destroy();
      response.addTrailers({
        [exitTrailer]: String(exit),
        ...(fault === undefined ? {} : { [errorTrailer]: fault }),
      });
      response.end();
    },
  };
}

export interface CollectedOutput extends ProgramOutput {
  collected(): Readonly<Record<'stdout' | 'stderr', Buffer>>;
}

/** Keeps up to `limitBytes` of each, as far as `mayKeep` says; else calls `onOverflow`, and drops what is more. */
export function collectOutput(
  limitBytes: number,
  mayKeep: (bytes: number) => boolean,
  onOverflow: () => void,
): CollectedOutput {
  const collector = () => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        if (bytes <= limitBytes && mayKeep(chunk.length)) chunks.push(chunk);
        else onOverflow();
        done();
      },
    });
    return { stream, bytes: () => bytes, all: () => Buffer.concat(chunks) };
  };
  const stdout = collector();
  const stderr = collector();
  return {
    stdout: stdout.stream,
    stderr: stderr.stream,
    bytesOut: () => stdout.bytes() + stderr.bytes(),
    collected: () => ({ stdout: stdout.all(), stderr: stderr.all() }),
  };
}

/** One number, as a shell's `$?` tells a signal. */
export function exitNumber(end: SessionEnd): number {
  if ('exitStatus' in end) return end.exitStatus;
  const signal = `SIG${end.exitSignal}`;
  return 128 + (Object.hasOwn(constants.signals, signal) ? constants.signals[signal as NodeJS.Signals] : 0);
}

/** What a program wrote and how it ended, as JSON; bytes that are no UTF-8 stand beside the text in base64. */
export function programData(
  end: SessionEnd,
  { stdout, stderr }: Readonly<Record<'stdout' | 'stderr', Buffer>>,
) {
  return {
    stdout: stdout.toString('utf8'),
    stderr: stderr.toString('utf8'),
    ...base64Beside('stdout_base64', stdout),
    ...base64Beside('stderr_base64', stderr),
    exit_status: 'exitStatus' in end ? end.exitStatus : null,
    exit_signal: 'exitSignal' in end ? end.exitSignal : null,
  };
}

function base64Beside(name: string, bytes: Buffer): Readonly<Record<string, string>> {
  return Buffer.from(bytes.toString('utf8')).equals(bytes) ? {} : { [name]: bytes.toString('base64') };
}
