/** Heads of requests to a container's web server, through Node's own parser as the listener does it. */
import { createServer, type Server } from 'node:http';
import { Duplex } from 'node:stream';
import { GatewayError } from '../../src/errors.ts';
import { readHead } from '../../src/http/container-passage/read-head.ts';
import { requestHeaders } from '../../src/http/container-passage/request-headers.ts';
import { findContainerName } from '../../src/http/host-name.ts';
import { mutant } from '../mutate.ts';
import { allowing, expectThat, type Surface } from '../surface.ts';

const domain = 'gw.example';
const heads = [
  'GET / HTTP/1.1\r\nHost: web.gw.example\r\nAuthorization: Bearer exe1.x\r\n\r\n',
  'POST /a?b=c HTTP/1.1\r\nHost: web.gw.example:8080\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc',
  'PUT / HTTP/1.1\r\nHost: web.gw.example\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\n',
  'GET http://web.gw.example/x HTTP/1.1\r\nHost: web.gw.example\r\nConnection: close, x\r\nX: y\r\n\r\n',
  'GET /ws HTTP/1.1\r\nHost: web.gw.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'GET / HTTP/1.0\r\nHost: WEB.gw.example.\r\nX-ExeDev-Authorization: Basic eDp5\r\n\r\n',
].map((text) => Buffer.from(text));

const asker = {
  account: { id: 'id', email: 'a@example.com' },
  ctx: undefined,
  address: '192.0.2.1',
  isTls: true,
};

/** What a request becomes on its way, where it is taken at all. */
function look(server: Server, problems: unknown[]): void {
  server.on('request', (request, response) => {
    try {
      const head = allowing([GatewayError], () => readHead(request, domain));
      if (head) {
        const text = requestHeaders(head, asker, 'close')
          .map((pair) => pair.join(': '))
          .join('\r\n');
        expectThat(!/[\r\n\0]/.test(text.replaceAll('\r\n', '')), 'a header with a line break in it');
        expectThat(findContainerName([head.host], domain) !== undefined, 'a host that is none');
        expectThat(!/[\r\n\0 ]/.test(head.target), 'a target that is more than one word');
      }
    } catch (error) {
      problems.push(error);
    }
    response.end();
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  server.on('upgrade', (_request, socket) => socket.destroy());
}

export const httpHeads: Surface = {
  pace: 'in this process',
  async open() {
    const problems: unknown[] = [];
    const server = createServer();
    look(server, problems);
    return {
      generate: (random) => mutant(heads, random),
      async run(input) {
        const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
        server.emit('connection', socket);
        socket.push(input);
        socket.push(null);
        await new Promise((resolve) => setImmediate(resolve));
        socket.destroy();
        if (problems.length > 0) throw problems.shift();
      },
      close: async () => void server.close(),
    };
  },
};
