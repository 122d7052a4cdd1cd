/**
 * A TCP proxy on a free loopback port that holds back every byte for some time, in a process of its own: a long way to
 * somewhere. `node delaying-proxy.ts PORT DELAY_MS` prints its port.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface DelayingProxy {
  readonly port: number;
  readonly stop: () => void;
}

/** `delayMs`: each way. */
export async function startDelayingProxy(port: number, delayMs: number): Promise<DelayingProxy> {
  const args = [import.meta.filename, String(port), String(delayMs)];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const told = await new Promise<string>((resolve) =>
    child.stdout?.once('data', (data: Buffer) => resolve(data.toString())),
  );
  return { port: Number(told), stop: () => void child.kill() };
}

/** In flight is what the sender's own window lets it send: a long way holds much. */
const maxInFlightBytes = 64 * 1024 * 1024;

function carry(from: Socket, to: Socket, delayMs: number): void {
  let inFlight = 0;
  from.on('data', (data: Buffer) => {
    inFlight += data.length;
    if (inFlight > maxInFlightBytes) from.pause();
    setTimeout(() => {
      inFlight -= data.length;
      from.resume();
      if (!to.destroyed) to.write(data);
    }, delayMs);
  });
  from.once('end', () => setTimeout(() => to.end(), delayMs));
  from.on('error', () => to.destroy());
}

if (process.argv[1] === import.meta.filename) {
  const [port, delayMs] = process.argv.slice(2).map(Number) as [number, number];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    carry(near, far, delayMs);
    carry(far, near, delayMs);
  }).listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
}
