/** `/api/ssh/hosts`. */
import type { FastifyInstance } from 'fastify';
import type { RunCommand } from '../dialect.ts';
import { refuseFaults } from './bodies.ts';
import { schemas } from './schemas.ts';

interface NewHost {
  readonly name: string;
  readonly hostname: string;
  readonly username: string;
  readonly port?: number | null;
  readonly identity_file?: string | null;
}

/** A host as `host list --json` shows it, as far as it is told here. */
interface HostData {
  readonly id: string;
  readonly name: string;
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly identity_file: string | null;
  readonly ssh_command: string;
  readonly created_at: string;
}

export function addHostRoutes(app: FastifyInstance, run: RunCommand): void {
  app.get('/hosts', { schema: schemas.listHosts }, async (request) => {
    const { hosts } = await run<{ hosts: readonly HostData[] }>(request, ['host', 'list']);
    return { hosts: hosts.map(shown), count: hosts.length };
  });

  app.post('/hosts', { schema: schemas.addHost, attachValidation: true }, async (request, reply) => {
    refuseFaults(request, ['name', 'hostname', 'username', 'port', 'identity_file']);
    const added = await run<HostData>(request, addWords(request.body as NewHost));
    return reply.code(201).send(shown(added));
  });

  app.delete<{ Params: { id: string } }>('/hosts/:id', { schema: schemas.removeHost }, async (request) => {
    await run(request, ['host', 'remove', '--', request.params.id]);
    return { message: 'Remote host deleted' };
  });
}

/** Brackets keep what is in a hostname apart from the port; in them the command takes an IPv6 address alone. */
function addWords({ name, hostname, username, port, identity_file: file }: NewHost): readonly string[] {
  const where = hostname.includes(':') ? `[${hostname}]` : hostname;
  const destination = `${username}@${where}:${port || 22}`;
  return ['host', 'add', ...(file ? [`--identity-file=${file}`] : []), '--', name.trim(), destination];
}

const shown = ({ id, name, hostname, port, username, identity_file, ssh_command, created_at }: HostData) => ({
  id,
  name,
  hostname,
  port,
  username,
  identity_file: identity_file ?? '',
  ssh_command,
  created_at,
});
