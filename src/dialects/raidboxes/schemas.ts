/** What Raidboxes' routes take and answer: validation and OpenAPI read the same. */

const text = { type: 'string' };
const filled = { type: 'string', pattern: '\\S' };
const key = {
  type: 'object',
  required: ['id', 'fingerprint', 'title'],
  properties: {
    id: text,
    fingerprint: { ...text, description: 'MD5, as hexadecimal with colons' },
    title: text,
  },
};

export const schemas = {
  list: { summary: 'Your SSH keys', response: { 200: { type: 'array', items: key } } },
  create: {
    summary: 'Add an SSH key',
    body: {
      type: 'object',
      required: ['title', 'key'],
      properties: { title: { ...filled, maxLength: 255 }, key: filled },
    },
    response: { 201: { type: 'object', properties: { data: key } } },
  },
  remove: { summary: 'Remove an SSH key', response: { 204: { type: 'null', description: 'removed' } } },
};
