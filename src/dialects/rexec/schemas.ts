/** What Rexec's routes take and answer: validation and OpenAPI read the same. */

const text = { type: 'string' };
const filled = { type: 'string', pattern: '\\S' };
const integer = { type: 'integer' };
const flag = { type: 'boolean' };
const none = 'null';

const keyProperties = {
  id: text,
  name: text,
  public_key: { ...text, description: 'without comment' },
  fingerprint: { ...text, description: 'SHA256:…, as ssh-keygen -l prints it' },
  key_type: { ...text, enum: ['ed25519', 'rsa', 'ecdsa'] },
  created_at: text,
  last_used_at: { type: ['string', none] },
};
const hostProperties = {
  id: text,
  name: text,
  hostname: text,
  port: integer,
  username: text,
  identity_file: { ...text, description: 'empty where people log in with their own key' },
  ssh_command: text,
  created_at: text,
};

const object = (properties: Readonly<Record<string, object>>) => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});
const answer = (status: number, properties: Readonly<Record<string, object>>) => ({
  [status]: object(properties),
});
const listOf = (name: string, properties: Readonly<Record<string, object>>) =>
  answer(200, { [name]: { type: 'array', items: object(properties) }, count: integer });

export const schemas = {
  listKeys: { summary: 'Your SSH keys', response: listOf('keys', keyProperties) },
  addKey: {
    summary: 'Add an SSH key',
    body: {
      type: 'object',
      required: ['name', 'public_key'],
      properties: { name: { ...filled, maxLength: 255 }, public_key: filled },
    },
    response: answer(201, { ...keyProperties, message: text }),
  },
  removeKey: { summary: 'Remove an SSH key', response: answer(200, { message: text, id: text }) },
  listHosts: { summary: 'The remote hosts that you may reach', response: listOf('hosts', hostProperties) },
  addHost: {
    summary: 'Add a remote host',
    body: {
      type: 'object',
      required: ['name', 'hostname', 'username'],
      properties: {
        name: filled,
        hostname: filled,
        username: filled,
        port: { type: ['integer', none], description: '22 where it is left out, or 0' },
        identity_file: { type: ['string', none], description: 'in DATA/identities of the gateway' },
      },
    },
    response: answer(201, hostProperties),
  },
  removeHost: { summary: 'Remove a remote host', response: answer(200, { message: text }) },
  connect: {
    summary: 'How to connect to a container',
    response: answer(200, {
      host: text,
      port: integer,
      username: { ...text, description: "the container's default user" },
      container_id: text,
      container_name: text,
      ssh_command: text,
    }),
  },
  sshdStatus: {
    summary: 'Whether a container has an SSH server of its own',
    response: answer(200, {
      installed: flag,
      running: flag,
      port: integer,
      container_id: text,
      container_status: text,
    }),
  },
  sshdSync: {
    summary: "Write the keys that may reach a container into its user's authorized_keys",
    response: {
      200: {
        type: 'object',
        required: ['message', 'container_id', 'synced'],
        properties: {
          message: text,
          container_id: text,
          synced: integer,
          left_out: {
            type: 'array',
            items: object({
              account: text,
              reason: { ...text, enum: ['second-factor', 'limited-grant', 'recording'] },
            }),
            description: 'accounts whose keys were left out; absent when there are none',
          },
        },
      },
    },
  },
  sshdInstall: {
    summary: 'Install and start an SSH server in a container; this takes minutes',
    response: answer(200, { message: text, container_id: text }),
  },
};
