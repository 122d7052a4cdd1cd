/** Every request that the five documents print, and what is answered. README's table is made of these. */

export interface PrintedRequest {
  readonly product: string;
  /** For the table. */
  readonly call: string;
  /** As printed; undefined where the page prints a method, a path and a body only. */
  readonly printed: string;
  readonly status: number;
  /** Members of the answer, as paths: `keys.0.id`; `''` is an empty body. */
  readonly has: readonly string[];
  /** Where we do not answer as printed, and why. */
  readonly deviation?: string;
  /** Part of the request that is replaced by something whole. */
  readonly fill?: Readonly<Record<string, 'publicKey' | 'keyId' | 'hostId' | 'container' | 'objectId'>>;
}

const bearer = '-H "Authorization: Bearer YOUR_TOKEN"';
const rexec = 'https://api.rexec.sh/api/ssh';
const xyra = 'https://panel.example.com/api/account/ssh-keys';
const scalingo = `curl -H 'Accept: application/json' -H 'Content-Type: application/json' \\
  -H "Authorization: Bearer $BEARER_TOKEN"`;
const laptop =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl [email protected]';

export const printedRequests: readonly PrintedRequest[] = [
  {
    product: 'exe.dev',
    call: 'POST /exec',
    printed: `curl -X POST https://exe.dev/exec -H "Authorization: Bearer $TOKEN" -d 'whoami'`,
    status: 200,
    has: ['account', 'ssh_keys.0.public_key'],
  },
  {
    product: 'Rexec',
    call: 'GET /api/ssh/keys',
    printed: `curl ${rexec}/keys \\\n  ${bearer}`,
    status: 200,
    has: [
      'keys.0.id',
      'keys.0.name',
      'keys.0.public_key',
      'keys.0.fingerprint',
      'keys.0.key_type',
      'keys.0.created_at',
      'keys.0.last_used_at',
      'count',
    ],
  },
  {
    product: 'Rexec',
    call: 'POST /api/ssh/keys',
    printed: `curl -X POST ${rexec}/keys \\\n  ${bearer} \\\n  -H "Content-Type: application/json" \\\n  -d '{\n    "name": "MacBook Pro",\n    "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvZ..."\n  }'`,
    status: 201,
    has: ['id', 'name', 'public_key', 'fingerprint', 'message'],
    fill: { 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvZ...': 'publicKey' },
  },
  {
    product: 'Rexec',
    call: 'DELETE /api/ssh/keys/:id',
    printed: `curl -X DELETE ${rexec}/keys/key_123 \\\n  ${bearer}`,
    status: 200,
    has: ['message', 'id'],
    fill: { key_123: 'keyId' },
  },
  {
    product: 'Rexec',
    call: 'GET /api/ssh/connect/:containerId',
    printed: `curl ${rexec}/connect/cont_123 \\\n  ${bearer}`,
    status: 200,
    has: ['host', 'port', 'username', 'container_id', 'ssh_command'],
    fill: { cont_123: 'container' },
  },
  {
    product: 'Rexec',
    call: 'POST /api/ssh/install/:containerId',
    printed: `curl -X POST ${rexec}/install/cont_123 \\\n  ${bearer}`,
    status: 200,
    has: ['message', 'container_id'],
    fill: { cont_123: 'container' },
  },
  {
    product: 'Rexec',
    call: 'POST /api/ssh/sync/:containerId',
    printed: `curl -X POST ${rexec}/sync/cont_123 \\\n  ${bearer}`,
    status: 200,
    has: ['message', 'container_id', 'synced'],
    fill: { cont_123: 'container' },
  },
  {
    product: 'Rexec',
    call: 'GET /api/ssh/status/:containerId',
    printed: `curl ${rexec}/status/cont_123 \\\n  ${bearer}`,
    status: 200,
    has: ['installed', 'running', 'port'],
    fill: { cont_123: 'container' },
  },
  {
    product: 'Rexec',
    call: 'GET /api/ssh/hosts',
    printed: `curl ${rexec}/hosts \\\n  ${bearer}`,
    status: 200,
    has: [
      'hosts.0.id',
      'hosts.0.name',
      'hosts.0.hostname',
      'hosts.0.port',
      'hosts.0.username',
      'hosts.0.identity_file',
      'count',
    ],
  },
  {
    product: 'Rexec',
    call: 'POST /api/ssh/hosts',
    printed: `curl -X POST ${rexec}/hosts \\\n  ${bearer} \\\n  -H "Content-Type: application/json" \\\n  -d '{\n    "name": "Production DB",\n    "hostname": "db.example.com",\n    "username": "ubuntu",\n    "port": 22\n  }'`,
    status: 201,
    has: ['id', 'name', 'hostname', 'port', 'username'],
  },
  {
    product: 'Rexec',
    call: 'DELETE /api/ssh/hosts/:id',
    printed: `curl -X DELETE ${rexec}/hosts/host_123 \\\n  ${bearer}`,
    status: 200,
    has: ['message'],
    fill: { host_123: 'hostId' },
  },
  {
    product: 'Raidboxes',
    call: 'GET /v1/ssh-keys',
    printed: `curl -X GET https://raidboxes/v1/ssh-keys ${bearer}`,
    status: 200,
    has: ['0.id', '0.fingerprint', '0.title'],
  },
  {
    product: 'Raidboxes',
    call: 'POST /v1/ssh-keys',
    printed: `curl -X POST https://raidboxes/v1/ssh-keys ${bearer} -d '{\n"title": "My Laptop Key",\n"key": "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC... user@host"\n}'`,
    status: 201,
    has: ['data.id', 'data.fingerprint', 'data.title'],
    fill: { 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC... user@host': 'publicKey' },
  },
  {
    product: 'Raidboxes',
    call: 'DELETE /v1/ssh-keys/{id}',
    printed: `curl -X DELETE https://raidboxes/v1/ssh-keys/KEY ${bearer}`,
    status: 204,
    has: [''],
    fill: { KEY: 'keyId' },
  },
  {
    product: 'XyraPanel',
    call: 'GET /api/account/ssh-keys',
    printed: `curl -X GET "${xyra}?page=1&limit=50" \\\n  -H "Authorization: Bearer YOUR_API_KEY"`,
    status: 200,
    has: [
      'data.0.id',
      'data.0.name',
      'data.0.fingerprint',
      'data.0.public_key',
      'data.0.created_at',
      'pagination.page',
      'pagination.perPage',
      'pagination.total',
      'pagination.totalPages',
    ],
  },
  {
    product: 'XyraPanel',
    call: 'POST /api/account/ssh-keys',
    printed: `curl -X POST "${xyra}" \\\n  -H "Authorization: Bearer YOUR_API_KEY" \\\n  -H "Content-Type: application/json" \\\n  -d '{\n    "name": "Work Laptop",\n    "publicKey": "${laptop}"\n  }'`,
    status: 200,
    has: ['data.id', 'data.name', 'data.fingerprint', 'data.public_key', 'data.created_at'],
  },
  {
    product: 'XyraPanel',
    call: 'DELETE /api/account/ssh-keys/:id',
    printed: `curl -X DELETE "${xyra}/clx1a2b3c4d5e6f7g8h9i0j1" \\\n  -H "Authorization: Bearer YOUR_API_KEY"`,
    status: 200,
    has: ['success', 'message'],
    fill: { clx1a2b3c4d5e6f7g8h9i0j1: 'keyId' },
  },
  {
    product: 'Scalingo',
    call: 'GET /v1/keys',
    printed: `${scalingo} \\\n  -X GET https://auth.scalingo.com/v1/keys`,
    status: 200,
    has: ['keys.0.id', 'keys.0.name', 'keys.0.content'],
  },
  {
    product: 'Scalingo',
    call: 'GET /v1/keys/:key_id',
    printed: `${scalingo} \\\n  -X GET https://auth.scalingo.com/v1/keys/54dcde4a54636101231a0000`,
    status: 200,
    has: ['key.id', 'key.name', 'key.content'],
    deviation: '`key` is an object, which every client of theirs expects; the page prints an array',
    fill: { '54dcde4a54636101231a0000': 'objectId' },
  },
  {
    product: 'Scalingo',
    call: 'POST /v1/keys',
    printed: `${scalingo} \\\n  -X POST https://auth.scalingo.com/v1/keys -d \\\n  '{\n    "key": {\n      "name" : "Office Laptop",\n      "content" : "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCmlEXHPj43jNzIiFbFx0NlcZpsFQZUC4paVoDf1/VXeA4P5ld5YT5O4PQEwvx/V8HzQit0sXRgUSFcKgGlAs9b0ea/nzxov8b3kc+Z5Ak1aRSkXKYE30xW9ALag9Pdf1ejzUXMY3X4bltEsyx7wV5i1hkKzQPHrH4SjhcGv+ILAg4J9KDfyqQ2QmKzVA+Esbmg3RE0IGbZIoNBxBYbNejcaw8+lX7nLsqAP8fZ+dgFP3JYsOYuTibtM5s09Gw7c3oXLrRm6F5G/Au6HYqlNYEKUYgZ2UmXox2vK1ljOZYzcOGj9kGqJ5DQgn88cVPqbA73vAYKGY6WcZf2X+3JOTct example-user@scalingo.com"\n    }\n  }'`,
    status: 201,
    has: ['key.id', 'key.name', 'key.content'],
    deviation: '`key` is an object; the sample lacks the colon after `"key"`, which is put there',
  },
  {
    product: 'Scalingo',
    call: 'DELETE /v1/keys/:key_id',
    printed: `${scalingo} \\\n  -X DELETE https://auth.scalingo.com/v1/keys/54dcde4a54636101231a0000`,
    status: 204,
    has: [''],
    fill: { '54dcde4a54636101231a0000': 'objectId' },
  },
];

/** A row of README's table. */
export const rowOf = ({ product, call, status, has, deviation }: PrintedRequest): string =>
  `| ${product} | \`${call}\` | ${status} | ${has.map((path) => path || 'empty').join(', ')} | ${deviation ?? ''} |`;
