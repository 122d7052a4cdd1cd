/** NAME.DOMAIN over HTTP: requests pass to the web server of a container, for whoever holds a token for it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestContainer } from '../support/containers.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { askWeb, startWebContainer } from '../support/web-container.ts';

let api: Api;
let web: TestContainer;
let token: string;

beforeAll(async () => {
  [api, web] = await Promise.all([startApi(), startWebContainer()]);
  token = await api.apiKey(`--vm=${web.name}`);
});
afterAll(async () => {
  await api?.stop();
  await web?.remove();
});

describe('a request with a token for the container', () => {
  it('reaches its web server', async () => {
    const answer = await askWeb(api, web.name, '/echo?a=b', { token });
    console.log(answer.head, answer.body, answer.stderr);
    expect(answer.code).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ method: 'GET', url: '/echo?a=b' });
  });
});
