/** A fastify that says hello to every POST, in a process of its own: as quick as an answer over HTTP gets here. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const program = `import('fastify').then(async ({ default: fastify }) => {
  const app = fastify();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.post('/', async () => ({ hello: 'world' }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  console.log(app.server.address().port);
});`;

export async function startHello() {
  const cwd = new URL('../..', import.meta.url).pathname;
  const child = spawn(process.execPath, ['-e', program], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    name: 'fastify, hello world',
    url: `http://127.0.0.1:${line.toString().trim()}/`,
    stop: () => child.kill(),
  };
}
