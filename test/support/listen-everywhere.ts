/** Listens as a sidecar does for `ssh -R '*:0:…'`, and tells who connected to that by IPv4. */
import type { ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { listenTcp } from '../../src/targets/container/sidecar/inside/listen.ts';

const respond = (headers: Readonly<Record<string, string>>) =>
  connect(Number(headers['x-port']), '127.0.0.1');
const stream = Object.assign(new PassThrough(), { respond });
// What it tells of connections goes to the gateway: a line each.
stream.on('data', (line: Buffer) => {
  process.stdout.write(line);
  process.exit(0);
});
await listenTcp(stream as unknown as ServerHttp2Stream, '*', 0);
