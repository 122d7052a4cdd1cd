/** NAME.DOMAIN over HTTP: requests pass to the web server of a container, for whoever holds a token for it. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { docker, runContainer, type TestContainer } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { type KeyPair, makeKeyPair } from '../support/ssh-client.ts';
import { makeCertificate } from '../support/tls-certificate.ts';
import { askWeb, signFor, startWebContainer } from '../support/web-container.ts';

let api: Api;
let web: TestContainer;
let other: TestContainer;
let token: string;
let member: KeyPair;
let erin: KeyPair;

beforeAll(async () => {
  [api, web, other] = await Promise.all([startApi(), startWebContainer(), runContainer(images.busybox)]);
  token = await api.apiKey(`--vm=${web.name}`);
  erin = await makeKeyPair();
  member = await api.addMember('maria');
});
afterAll(async () => {
  await api?.stop();
  await Promise.all([web?.remove(), other?.remove()]);
});

interface Echoed {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: { readonly bytes: number; readonly sha256: string };
}

/** What the container saw, its header names in lower case. */
async function echo(options: Parameters<typeof askWeb>[3] = {}, path = '/echo') {
  const answer = await askWeb(api, web.name, path, { token, ...options });
  expect(answer.code, answer.body).toBe(200);
  const echoed = JSON.parse(answer.body) as Echoed;
  const headers: Record<string, string[]> = {};
  echoed.rawHeaders.forEach((name, index) => {
    const values = headers[name.toLowerCase()] ?? [];
    if (index % 2 === 0) headers[name.toLowerCase()] = [...values, echoed.rawHeaders[index + 1] as string];
  });
  return { ...echoed, headers };
}

const header = (line: string) => ['-H', line];
const refused = async (options: Parameters<typeof askWeb>[3], name = web.name) => {
  const { code, body, head } = await askWeb(api, name, '/echo', options);
  return { code, head, failure: (JSON.parse(body) as { code: string }).code };
};

describe('a request with a token for the container', () => {
  it('reaches its web server, method, path, query and body as they are', async () => {
    const body = Buffer.alloc(300_000, 'x');
    const seen = await echo({ args: ['-X', 'PUT', '--data-binary', '@-'], stdin: body }, '/echo?a=b%20c&d');
    expect(seen).toMatchObject({ method: 'PUT', url: '/echo?a=b%20c&d' });
    expect(seen.body).toEqual({ bytes: 300_000, sha256: createHash('sha256').update(body).digest('hex') });
  });

  it('tells the server who asks and whence, and nothing of the token', async () => {
    const { headers, rawHeaders } = await echo();
    const host = `${web.name}.gw.example:${api.gateway.httpAddress?.port}`;
    expect(headers['host']).toEqual([host]);
    expect(headers['x-exedev-userid']).toEqual([expect.stringMatching(/^[a-z2-7]{16}$/)]);
    expect(headers['x-forwarded-for']).toEqual(['127.0.0.1']);
    expect(headers['x-forwarded-host']).toEqual([host]);
    expect(headers['x-forwarded-proto']).toEqual(['http']);
    expect(headers['x-exedev-token-ctx']).toBeUndefined();
    expect(headers['x-exedev-email']).toBeUndefined();
    expect(headers['authorization']).toBeUndefined();
    expect(rawHeaders.join()).not.toContain(token);
  });

  it('passes ctx on, byte for byte as it was signed, and the account’s email', async () => {
    await api.ssh(`account add erin --email=erin@example.com ${erin.publicKey}`);
    await api.ssh(`share add ${web.name} erin`);
    const ctx = '{"b":[1, 2.50],"a":"\\u00e9 é"}';
    const { headers } = await echo({ token: await signFor(api, web.name, erin, `{"ctx":${ctx}}`) });
    expect(headers['x-exedev-email']).toEqual(['erin@example.com']);
    expect(headers['x-exedev-token-ctx']?.map((each) => Buffer.from(each, 'latin1').toString())).toEqual([
      ctx,
    ]);
  });

  it('takes it from X-Exedev-Authorization, and leaves Authorization to the server', async () => {
    const args = [
      ...header(`X-Exedev-Authorization: Bearer ${token}`),
      ...header('Authorization: Digest own'),
    ];
    const { headers } = await askWeb(api, web.name, '/echo', { args }).then(({ body }) => ({
      headers: (JSON.parse(body) as Echoed).rawHeaders,
    }));
    expect(headers).toContain('Digest own');
    expect(headers.join().toLowerCase()).not.toContain('x-exedev-authorization');
  });

  it('takes it as the password of Basic, from anybody', async () => {
    const { code, body } = await askWeb(api, web.name, '/echo', { args: ['-u', `whoever:${token}`] });
    expect(code).toBe(200);
    expect(body.toLowerCase()).not.toContain('authorization');
  });

  it('sees the container in capitals, with a final dot and a port too', async () => {
    const { code } = await askWeb(api, web.name, '/echo', {
      token,
      args: header(`Host: ${web.name.toUpperCase()}.GW.Example.:99`),
    });
    expect(code).toBe(200);
  });

  it('header-smuggled-identity: what the client says of itself in our headers is not passed on', async () => {
    const forged = [
      'X-ExeDev-UserID',
      'x_exedev_userid',
      'X.ExeDev.UserID',
      'X-Forwarded-For',
      'X-ExeDev-Email',
    ];
    const seen = await echo({ args: forged.flatMap((name) => header(`${name}: forged`)) });
    expect(seen.rawHeaders).not.toContain('forged');
  });

  it('connection-named-header: naming ours in Connection takes none of them away', async () => {
    const args = header('Connection: keep-alive, X-ExeDev-UserID, X-Forwarded-For, X-Mine');
    const { headers } = await echo({ args: [...args, ...header('X-Mine: 1')] });
    expect(headers['x-exedev-userid']).toHaveLength(1);
    expect(headers['x-forwarded-for']).toHaveLength(1);
    expect(headers['x-mine']).toBeUndefined();
    expect(headers['connection']).toEqual(['close']);
  });
});

it('over TLS the server is told so', async () => {
  const { cert: tlsCert, key: tlsKey } = await makeCertificate('gw.example');
  const tls = await startApi({ config: { tlsCert, tlsKey } });
  onTestFinished(tls.stop);
  const theirs = await tls.apiKey(`--vm=${web.name}`);
  const { code, body } = await askWeb(tls, web.name, '/echo', { token: theirs, args: ['-k'] });
  expect(code).toBe(200);
  const { rawHeaders } = JSON.parse(body) as Echoed;
  expect(rawHeaders[rawHeaders.indexOf('X-Forwarded-Proto') + 1]).toBe('https');
});

describe('who is refused', () => {
  it('without a token, with 401 and what browsers and git ask a password for', async () => {
    const { code, head, failure } = await refused({});
    expect({ code, failure }).toEqual({ code: 401, failure: 'container-unauthorized' });
    expect(head).toMatch(/^WWW-Authenticate: Bearer\r?$/im);
    expect(head).toMatch(/^WWW-Authenticate: Basic realm="gw\.example"/im);
  });

  it('with nonsense, a removed key or a token for commands, with the very same 401', async () => {
    const removed = await api.apiKey(`--vm=${web.name} --label=removed`);
    await api.ssh('ssh-key remove removed');
    const expired = await signFor(api, web.name, api.admin, '{"exp":946684800}');
    const changed = `${token.slice(0, -1)}${token.endsWith('a') ? 'b' : 'a'}`;
    const forCommands = await api.apiKey();
    const bodies = new Set<string>();
    for (const wrong of ['x', removed, expired, changed, forCommands, `${token}x`]) {
      const { code, body } = await askWeb(api, web.name, '/echo', { token: wrong });
      expect(code).toBe(401);
      bodies.add(body);
    }
    expect([...bodies]).toHaveLength(1);
  });

  it('with a token for another container, with 403', async () => {
    const elsewhere = await api.apiKey(`--vm=${other.name}`);
    expect(await refused({ token: elsewhere })).toMatchObject({ code: 403, failure: 'token-elsewhere' });
  });

  it('by a grant that is not there, with 403 and no word of what else there is', async () => {
    const theirs = await signFor(api, web.name, member, '{}');
    const { code, body } = await askWeb(api, web.name, '/echo', { token: theirs });
    expect({ code, ...(JSON.parse(body) as object) }).toMatchObject({ code: 'container-refused' });
    expect(code).toBe(403);
    expect(body).not.toContain(other.name);
    const nowhere = await signFor(api, 'not-there', member, '{}');
    expect(await refused({ token: nowhere }, 'not-there')).toMatchObject({
      code: 403,
      failure: 'container-refused',
    });
  });

  it('by a grant without forwarding, with 403', async () => {
    const nofwd = await api.addMember('nofwd');
    await api.ssh(`share add ${web.name} nofwd --no-forwarding`);
    const theirs = await signFor(api, web.name, nofwd, '{}');
    expect(await refused({ token: theirs })).toMatchObject({ code: 403, failure: 'web-refused' });
  });

  it('refusals stand in the audit, with their true cause and without the token', async () => {
    const log = JSON.stringify(api.logged().filter((line) => 'audit' in line));
    expect(log).toContain('token: there is none');
    expect(log).toContain('container-refused');
    expect(JSON.stringify(api.logged())).not.toContain(token);
  });
});

describe('a container that does not answer', () => {
  it('stopped: 503', async () => {
    const stopped = await runContainer(images.busybox);
    await docker('stop', '-t', '0', stopped.id);
    const theirs = await api.apiKey(`--vm=${stopped.name}`);
    expect(await refused({ token: theirs }, stopped.name)).toMatchObject({
      code: 503,
      failure: 'container-not-running',
    });
    await stopped.remove();
  });

  it('without a server: 502', async () => {
    const theirs = await api.apiKey(`--vm=${other.name}`);
    expect(await refused({ token: theirs }, other.name)).toMatchObject({
      code: 502,
      failure: 'web-port-closed',
    });
  });
});
