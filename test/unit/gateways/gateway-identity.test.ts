import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readGatewayIdentity } from '../../../src/gateways/gateway-identity.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-identity-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('is the same as long as the folder is, and for the gateway alone', async () => {
  const made = await readGatewayIdentity(folder);
  expect(await readGatewayIdentity(folder)).toBe(made);
  expect((await stat(join(folder, 'gateway-identity'))).mode & 0o777).toBe(0o600);
});

it('is another one in another folder', async () => {
  const made = await readGatewayIdentity(folder);
  await rm(join(folder, 'gateway-identity'));
  expect(await readGatewayIdentity(folder)).not.toBe(made);
});

it('is made anew where a crash left half of it', async () => {
  await writeFile(join(folder, 'gateway-identity'), 'abc');
  const made = await readGatewayIdentity(folder);
  expect(made).toMatch(/^[a-z2-7]{26}$/);
  expect(await readGatewayIdentity(folder)).toBe(made);
});
