/** Bytes to the HTTP port: heads, bodies, and what stands between requests. */
import { openFuzzedGateway, sendAll } from '../fuzzed-gateway.ts';
import { mutate } from '../mutate.ts';
import type { Surface } from '../surface.ts';

const closesWithinMs = 500;
/** Stands for the API key, which is another at each start. */
const tokenMark = '@TOKEN@';

const exec = (body: string, ...more: string[]) =>
  [
    'POST /exec HTTP/1.1',
    'Host: gw.example',
    `Authorization: Bearer ${tokenMark}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...more,
    '',
    body,
  ].join('\r\n');
const seeds = [
  exec('whoami'),
  exec('ssh-key list --json', 'Accept: application/json'),
  exec(`ssh web 'true'`),
  exec('help "a b" \\x', 'Content-Type: application/x-www-form-urlencoded', 'Expect: 100-continue'),
  `POST /exec HTTP/1.1\r\nHost: gw.example\r\nAuthorization: Bearer ${tokenMark}\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nwhoami\r\n0\r\n\r\n`,
  'GET /openapi.json HTTP/1.1\r\nHost: gw.example\r\n\r\n',
  'GET /healthz HTTP/1.0\r\n\r\nGET /fuzz.keys HTTP/1.1\r\nHost: gw.example\r\n\r\n',
  `GET / HTTP/1.1\r\nHost: web.gw.example\r\nAuthorization: Bearer ${tokenMark}\r\n\r\n`,
  `GET /ws HTTP/1.1\r\nHost: web.gw.example\r\nX-ExeDev-Authorization: Bearer ${tokenMark}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
].map((text) => Buffer.from(text));

export const httpRequests: Surface = {
  pace: 'through a gateway',
  async open() {
    const gateway = await openFuzzedGateway();
    return {
      generate(random) {
        const count = random.oneIn(4) ? 1 + random.below(4) : 1;
        const requests = Buffer.concat(Array.from({ length: count }, () => random.pick(seeds)));
        return random.oneIn(20) ? requests : mutate(requests, random, seeds);
      },
      async run(input) {
        const bytes = Buffer.from(input.toString('latin1').replaceAll(tokenMark, gateway.apiKey), 'latin1');
        await sendAll(gateway, gateway.httpPort, bytes, closesWithinMs);
      },
      memory: gateway.memory,
      close: gateway.close,
    };
  },
};
