/** Repositories under /repos at /git/NAME, by git's own CGI program; git-http-backend(1). */
import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';

export function serveGit(request: IncomingMessage, response: ServerResponse, url: URL): void {
  const { headers } = request;
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: '/repos',
      GIT_HTTP_EXPORT_ALL: '1',
      REMOTE_USER: String(headers['x-exedev-userid']),
      REQUEST_METHOD: request.method,
      PATH_INFO: url.pathname.slice('/git'.length),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: headers['content-type'] ?? '',
      ...(headers['content-encoding'] ? { HTTP_CONTENT_ENCODING: String(headers['content-encoding']) } : {}),
      ...(headers['git-protocol'] ? { GIT_PROTOCOL: String(headers['git-protocol']) } : {}),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  request.pipe(backend.stdin);
  backend.stdin.on('error', () => {});
  let head = Buffer.alloc(0);
  backend.stdout.on('data', function read(chunk: Buffer) {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) return;
    backend.stdout.off('data', read);
    const lines = head.subarray(0, end).toString('latin1').split('\r\n');
    const fields = lines.map((line): [string, string] => {
      const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
      return [name.toLowerCase(), value];
    });
    const status = Number.parseInt(new Map(fields).get('status') ?? '200', 10);
    response.writeHead(status, Object.fromEntries(fields.filter(([name]) => name !== 'status')));
    response.write(head.subarray(end + 4));
    backend.stdout.pipe(response);
  });
}
