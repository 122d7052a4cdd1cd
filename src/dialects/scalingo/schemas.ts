/** What Scalingo's routes take and answer: validation and OpenAPI read the same. */

const text = { type: 'string' };
const filled = { type: 'string', pattern: '\\S' };
const key = {
  type: 'object',
  required: ['id', 'name', 'content', 'fingerprint', 'created_at'],
  properties: { id: text, name: text, content: text, fingerprint: text, created_at: text },
};
const oneKey = { type: 'object', properties: { key } };

export const schemas = {
  list: {
    summary: 'Your SSH keys',
    response: { 200: { type: 'object', properties: { keys: { type: 'array', items: key } } } },
  },
  show: { summary: 'One SSH key', response: { 200: oneKey } },
  create: {
    summary: 'Add an SSH key',
    body: {
      type: 'object',
      description: 'also wrapped, as {"key":{…}}',
      required: ['name', 'content'],
      properties: { name: { ...filled, maxLength: 255 }, content: filled },
    },
    response: { 201: oneKey },
  },
  remove: { summary: 'Remove an SSH key', response: { 204: { type: 'null', description: 'removed' } } },
  self: {
    summary: 'Who you are',
    response: {
      200: {
        type: 'object',
        properties: {
          user: {
            type: 'object',
            properties: {
              id: text,
              username: text,
              email: { type: ['string', 'null'] },
              fullname: text,
              flags: { type: 'object', additionalProperties: { type: 'boolean' } },
            },
          },
        },
      },
    },
  },
  exchange: {
    summary: 'A JWT that stands for your token for an hour at most, and is taken wherever that is',
    security: [{ password: [] }],
    response: { 200: { type: 'object', properties: { token: text } } },
  },
};
