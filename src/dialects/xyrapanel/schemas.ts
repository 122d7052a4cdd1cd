/** What XyraPanel's routes take and answer: validation and OpenAPI read the same. */

const text = { type: 'string' };
const number = { type: 'integer' };
const filled = { type: 'string', pattern: '\\S' };
const key = {
  type: 'object',
  required: ['id', 'name', 'fingerprint', 'public_key', 'created_at'],
  properties: { id: text, name: text, fingerprint: text, public_key: text, created_at: text },
};

export const schemas = {
  list: {
    summary: 'Your SSH keys, the newest first',
    // Whatever is no number in its range counts as left out.
    querystring: { type: 'object', properties: { page: text, limit: text } },
    response: {
      200: {
        type: 'object',
        properties: {
          data: { type: 'array', items: key },
          pagination: {
            type: 'object',
            properties: { page: number, perPage: number, total: number, totalPages: number },
          },
        },
      },
    },
  },
  create: {
    summary: 'Add an SSH key',
    body: {
      type: 'object',
      required: ['name', 'publicKey'],
      properties: { name: { ...filled, maxLength: 255 }, publicKey: filled },
    },
    response: { 200: { type: 'object', properties: { data: key } } },
  },
  remove: {
    summary: 'Remove an SSH key',
    response: { 200: { type: 'object', properties: { success: { type: 'boolean' }, message: text } } },
  },
};
