/** A web server that runs inside a container of the tests, by the Node that is mounted there. Its port: argv[2]. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { serveGit } from './serve-git.ts';
import { acceptWebSocket } from './websocket.ts';

type Page = (request: IncomingMessage, response: ServerResponse, url: URL) => unknown;

/** Streams that ended because the other side was gone. */
let hungUp = 0;
/** Requests for /silent. */
let silent = 0;

const pages: Readonly<Record<string, Page>> = {
  /** Everything that came, as JSON. */
  '/echo': async (request, response) => {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    const { method, url, rawHeaders, rawTrailers } = request;
    const body = { bytes, sha256: hash.digest('hex') };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method, url, rawHeaders, rawTrailers, body }));
  },
  '/hung-up': (_request, response) => response.end(String(hungUp)),
  '/events': (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    let count = 0;
    const timer = setInterval(() => response.write(`data: ${count++}\n\n`), 100);
    response.on('close', () => {
      hungUp++;
      clearInterval(timer);
    });
  },
  '/zeros': async (_request, response, url) => {
    const chunk = Buffer.alloc(65_536);
    const count = Number(url.searchParams.get('mib')) * 16;
    await pipeline(Readable.from(Array.from({ length: count }, () => chunk)), response).catch(() => {});
  },
  '/trailers': (_request, response) => {
    response.writeHead(200, { trailer: 'X-Sum' });
    response.write('body');
    response.addTrailers({ 'X-Sum': 'good', 'X-ExeDev-UserID': 'forged' });
    response.end();
  },
  '/hop-by-hop': (_request, response) => {
    const headers = [
      'X-Kept',
      '1',
      'X-Hop',
      '1',
      'Connection',
      'x-hop',
      'Set-Cookie',
      'a=1',
      'Set-Cookie',
      'b=2',
    ];
    response.writeHead(200, 'Fine', headers);
    response.end('ok');
  },
  '/status': (_request, response, url) => {
    response.writeHead(Number(url.searchParams.get('is')), { etag: '"x"' });
    response.end();
  },
  '/length': (_request, response) => response.setHeader('content-length', '1000').end(Buffer.alloc(1000)),
  '/cut': (_request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('only this');
    setTimeout(() => response.destroy(), 100);
  },
  /** Takes no notice of anything. */
  '/silent': (_request, response) => {
    silent++;
    response.on('close', () => hungUp++);
  },
  '/silent-so-far': (_request, response) => response.end(String(silent)),
};

const server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
  const url = new URL(request.url ?? '/', 'http://container');
  if (url.pathname.startsWith('/git/')) return serveGit(request, response, url);
  const page = pages[url.pathname];
  if (page) return void page(request, response, url);
  response.writeHead(404).end('no such page');
});
server.on('checkContinue', (request, response) => {
  if (request.url === '/full') return void response.writeHead(413).end('too much');
  response.writeContinue();
  server.emit('request', request, response);
});
server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => socket.destroy());
  socket.on('close', () => hungUp++);
  acceptWebSocket(request, socket, head);
});
server.listen(Number(process.argv[2]));
