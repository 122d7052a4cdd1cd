/** More than sixty malformed bodies for each dialect: its own words for a failure, never a trace or another's shape. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../../support/http-api.ts';

let api: Api;
let token: string;
beforeAll(async () => {
  api = await startApi({ config: { tokenRatePerSecond: 100_000, tokenRateBurst: 100_000 } });
  token = await api.apiKey('--cmds="ssh-key add,host add,ssh-key list"');
});
afterAll(() => api.stop());

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
const values = [
  null,
  0,
  -1,
  1.5,
  true,
  [],
  [key],
  {},
  { key },
  '',
  ' ',
  '\n',
  '\0',
  '\u001b[2J',
  '\ud800',
  'x',
];
const bodies = (first: string, second: string): (string | Buffer)[] => [
  ...values.map((value) => JSON.stringify({ [first]: value, [second]: value })),
  ...values.map((value) => JSON.stringify({ [first]: 'name', [second]: value })),
  ...values.map((value) => JSON.stringify({ [first]: value, [second]: 'no key' })),
  ...[
    '',
    '{',
    '[',
    '"',
    'null',
    'true',
    '0',
    '"text"',
    '[]',
    '[{}]',
    '{}',
    '{"a":}',
    '{,}',
    '{"a":1,}',
    'NaN',
    '\0',
  ],
  `{"${first}":"a","${first}":"b"}`,
  `{"__proto__":{"${first}":"a","${second}":"${key}"}}`,
  `{"constructor":{"prototype":{"${first}":"a"}}}`,
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `{"${first}":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
  JSON.stringify({ [first]: 'a'.repeat(70_000), [second]: key }),
  JSON.stringify({ [first]: 'a', [second]: `${key}\n${key}` }),
  JSON.stringify({ [first]: 'a', [second]: `from="*" ${key}` }),
  JSON.stringify({ [first]: 'a', [second]: '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA' }),
  Buffer.from([0xff, 0xfe, 0x7b, 0x00]),
  Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
  `\ufeff${JSON.stringify({ [first]: 'a', [second]: 'b' })}`,
  `${first}=a&${second}=b`,
  '<xml/>',
];
const types = [
  'application/json',
  'text/plain',
  'application/x-www-form-urlencoded',
  'x',
  'application/json; charset=x',
];

type Shape = (body: Record<string, unknown>) => boolean;
const isText = (value: unknown) => typeof value === 'string' && value !== '';

const dialects: readonly (readonly [name: string, path: string, fields: [string, string], shape: Shape])[] = [
  [
    'Rexec',
    '/api/ssh/keys',
    ['name', 'public_key'],
    ({ error, ...rest }) => isText(error) && !('code' in rest),
  ],
  ['Rexec hosts', '/api/ssh/hosts', ['name', 'hostname'], ({ error }) => isText(error)],
  [
    'Raidboxes',
    '/v1/ssh-keys',
    ['title', 'key'],
    ({ timestamp, message, path, request_id }) => [timestamp, message, path, request_id].every(isText),
  ],
  [
    'XyraPanel',
    '/api/account/ssh-keys',
    ['name', 'publicKey'],
    ({ error, statusCode, statusMessage, message }) =>
      error === true && typeof statusCode === 'number' && isText(statusMessage) && isText(message),
  ],
  [
    'Scalingo',
    '/v1/keys',
    ['name', 'content'],
    ({ error, errors, resource }) =>
      isText(error) || (typeof errors === 'object' && errors !== null) || isText(resource),
  ],
];

describe.each(dialects)('%s', (_name, path, [first, second], shape) => {
  it('answers each in its own words', async () => {
    const sent = bodies(first, second);
    expect(sent.length).toBeGreaterThan(60);
    for (const [index, body] of sent.entries()) {
      const answer = await fetch(`${api.url}${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': types[index % types.length] as string,
        },
        body: typeof body === 'string' ? body : new Uint8Array(body),
      });
      const text = await answer.text();
      const told = `${index} ${String(body).slice(0, 60)} → ${answer.status} ${text.slice(0, 200)}`;
      expect(answer.status, told).toBeGreaterThanOrEqual(400);
      expect(answer.status, told).toBeLessThan(500);
      expect(shape(JSON.parse(text) as Record<string, unknown>), told).toBe(true);
      expect(text, told).not.toMatch(/\bat .*\.(ts|js):\d+|node:|Error:/);
    }
  });

  it('and goes on working', async () => {
    const answer = await fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    expect([200, 403]).toContain(answer.status);
  });
});
