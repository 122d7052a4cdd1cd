/**
 * `ssh -L` to a server on the container's loopback, beside the same through OpenSSH's sshd inside the same
 * container: 256 MiB down and up, and a connection until its first byte. Bars: ≥ 0.8 of its throughput, first
 * byte ≤ 1.2 of its time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../test/support/free-port.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { type Contender, interleave, report } from '../support/measure.ts';
import { startSshdContainer } from '../support/sshd-container.ts';

const mib = Number(process.env['MIB'] ?? 256);
const rounds = Number(process.env['ROUNDS'] ?? 7);

/** A byte says what is wanted: as many zeros as are measured, to be read, or one. */
const server = `
import socket, threading
def serve(c):
    want = c.recv(1)
    if want == b'd':
        part = bytes(1 << 20)
        for n in range(${mib}): c.sendall(part)
    elif want == b'u':
        part = bytearray(1 << 20)
        while c.recv_into(part): pass
        c.sendall(b'x')
    else: c.sendall(b'x')
    c.close()
s = socket.create_server(('127.0.0.1', 7000), backlog=100)
while True:
    threading.Thread(target=serve, args=s.accept()[:1], daemon=True).start()
`;

const container = await startSshdContainer();
const gateway = await startGatewayProcess();
const opened: ChildProcess[] = [];

async function openForward(args: readonly string[]): Promise<number> {
  const port = await freePort();
  const forward = ['-N', '-o', 'ExitOnForwardFailure=yes', '-L', `127.0.0.1:${port}:127.0.0.1:7000`];
  opened.push(spawn('ssh', [...forward, ...args], { stdio: ['ignore', 'inherit', 'inherit'] }));
  for (let tries = 0; tries < 100; tries++) {
    const answered = await ask(port, 'b').catch(() => 0);
    if (answered === 1) return port;
    await pause(100);
  }
  throw new Error('the forward does not answer');
}

/** Resolves to how many bytes came. */
async function ask(port: number, what: 'd' | 'u' | 'b'): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  let bytes = 0;
  socket.on('data', (data) => {
    bytes += data.length;
  });
  const closed = once(socket, 'close');
  socket.write(what);
  if (what === 'u') {
    const part = Buffer.alloc(1 << 20);
    for (let n = 0; n < mib; n++) if (!socket.write(part)) await once(socket, 'drain');
    socket.end();
  }
  await closed;
  return bytes;
}

try {
  container.sh(`nohup python3 -c "${server}" >/dev/null 2>&1 &`);
  const ports = [
    ['the gateway', await openForward([...gateway.sshArgs, `root+${container.name}@127.0.0.1`])],
    ['sshd in the container', await openForward([...container.sshArgs, `root@${container.address}`])],
  ] as const;
  const contenders = (what: 'd' | 'u' | 'b', bytes: number, times = 1): Contender[] =>
    ports.map(([name, port]) => ({
      name: `through ${name}`,
      run: async () => {
        for (let n = 0; n < times; n++) {
          if ((await ask(port, what)) !== bytes) throw new Error('it came short');
        }
      },
    }));
  report(`${mib} MiB down by -L`, await interleave(contenders('d', mib << 20), rounds), 1 / 0.8);
  report(`${mib} MiB up by -L`, await interleave(contenders('u', 1), rounds), 1 / 0.8);
  report(
    '20 connections by -L, to the first byte',
    await interleave(contenders('b', 1, 20), 3 * rounds),
    1.2,
  );
} finally {
  for (const ssh of opened) ssh.kill();
  gateway.stop();
  container.remove();
}
