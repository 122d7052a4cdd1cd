/** The requests that the five documents print, sent as they stand but for host, token, ids and keys that are cut apart. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runContainer, type TestContainer } from '../../support/containers.ts';
import { images } from '../../support/engine.ts';
import { type PrintedRequest, printedRequests, rowOf } from '../../support/printed-requests.ts';
import { type RexecApi, startRexec } from '../../support/rexec-api.ts';
import { makeKeyPair, runProgram } from '../../support/ssh-client.ts';
import { putManagers } from '../../support/stand-in-managers.ts';

let api: RexecApi;
let token: string;
let container: TestContainer;
beforeAll(async () => {
  [api, container] = await Promise.all([startRexec(), runContainer(images.busybox)]);
  await putManagers(container, ['apk']);
  token = await api.apiKey(
    '--cmds="whoami,ssh-key list,ssh-key add,ssh-key remove,host list,host add,host remove,connect,sshd status,sshd sync,sshd install"',
  );
  await api.ssh('host add Staging ubuntu@staging.example.com');
});
afterAll(async () => {
  await Promise.all([api.stop(), container.remove()]);
});

const hosts = [
  'https://exe.dev',
  'https://api.rexec.sh',
  'https://raidboxes',
  'https://panel.example.com',
  'https://auth.scalingo.com',
];
const tokens = ['YOUR_TOKEN', 'YOUR_API_KEY', '$BEARER_TOKEN', '$TOKEN'];

/** What stands for a cut key or an id of the page's own. */
const whole: Record<string, () => Promise<string>> = {
  publicKey: async () => (await makeKeyPair()).publicKey,
  container: async () => container.id,
  keyId: async () => (await addedKey()).id,
  hostId: async () => {
    const { json } = await api.ask({ token, path: '/api/ssh/hosts', args: ['-X', 'GET'] });
    return json<{ hosts: { id: string }[] }>().hosts[0]?.id ?? '';
  },
  objectId: async () => {
    const { fingerprint } = await addedKey();
    const { json } = await api.ask({ token, path: '/v1/keys', args: ['-X', 'GET'] });
    const keys = json<{ keys: { id: string; fingerprint: string }[] }>().keys;
    return keys.find((key) => key.fingerprint === fingerprint)?.id ?? '';
  },
};

async function addedKey(): Promise<{ id: string; fingerprint: string }> {
  const { publicKey } = await makeKeyPair();
  const added = await api.ssh('ssh-key add --json', { stdin: `${publicKey}-${Math.random()}` });
  return JSON.parse(added.text) as { id: string; fingerprint: string };
}

async function filled({ printed, fill = {} }: PrintedRequest): Promise<string> {
  let request = printed;
  for (const host of hosts) request = request.replace(host, api.url);
  for (const name of tokens) request = request.replace(name, token);
  for (const [part, what] of Object.entries(fill))
    request = request.replace(part, (await whole[what]?.()) ?? '');
  return request;
}

const memberAt = (body: unknown, path: string): unknown =>
  path.split('.').reduce((value, name) => (value as Record<string, unknown> | undefined)?.[name], body);

describe('each request is answered as its page says', () => {
  it.each(printedRequests.map((request) => [`${request.product}: ${request.call}`, request] as const))(
    '%s',
    async (_name, request) => {
      const ran = await runProgram('sh', ['-c', `${await filled(request)} -s -w '\\n%{http_code}'`]);
      const [, body = '', status] = /^([\s\S]*)\n(\d+)$/.exec(ran.text) ?? [];
      expect([Number(status), body], body).toEqual([request.status, expect.any(String)]);
      for (const path of request.has) {
        if (path === '') expect(body).toBe('');
        else expect(memberAt(JSON.parse(body), path), path).toBeDefined();
      }
    },
  );
});

it('README’s table lists them all', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  expect(printedRequests.map(rowOf).filter((row) => !readme.includes(row))).toEqual([]);
});
