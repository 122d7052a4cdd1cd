/** The real git clones from and pushes to a repository that is served in a container. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestContainer } from '../support/containers.ts';
import { type Api, startApi } from '../support/http-api.ts';
import { runProgram } from '../support/ssh-client.ts';
import { startWebContainer } from '../support/web-container.ts';

let api: Api;
let web: TestContainer;
let folder: string;
let remote: (password: string) => string;

beforeAll(async () => {
  [api, web] = await Promise.all([startApi(), startWebContainer()]);
  await web.sh('git config --global --add safe.directory "*" && git init -q --bare /repos/repo.git');
  folder = mkdtempSync(join(tmpdir(), 'postern-git-'));
  const { port } = api.gateway.httpAddress ?? {};
  remote = (password) => `http://x:${password}@${web.name}.gw.example:${port}/git/repo.git`;
});
afterAll(async () => {
  await api?.stop();
  await web?.remove();
});

async function git(...args: readonly string[]) {
  const host = `${web.name}.gw.example:${api.gateway.httpAddress?.port}`;
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'init.defaultBranch=main'];
  return runProgram(
    'git',
    ['-C', folder, '-c', `http.curloptResolve=${host}:127.0.0.1`, ...identity, ...args],
    {
      env: { GIT_TERMINAL_PROMPT: '0', HOME: folder, GIT_CONFIG_NOSYSTEM: '1' },
      timeoutMs: 60_000,
    },
  );
}
const done = async (...args: readonly string[]) => {
  const { status, stderr, text } = await git(...args);
  expect(status, stderr).toBe(0);
  return text;
};

it('git pushes 40 MB with a token as the password, and clones them again', async () => {
  const token = await api.apiKey(`--vm=${web.name}`);
  await done('init', '-q', 'work');
  for (const name of ['a', 'b']) writeFileSync(join(folder, 'work', name), randomBytes(20_000_000));
  await done('-C', 'work', 'add', '.');
  await done('-C', 'work', 'commit', '-qm', 'big');
  await done('-C', 'work', 'push', '-q', remote(token), 'HEAD:refs/heads/main');
  await done('clone', '-q', '-b', 'main', remote(token), 'copy');
  expect(await done('-C', 'copy', 'rev-parse', 'HEAD')).toBe(await done('-C', 'work', 'rev-parse', 'HEAD'));
  expect(await done('-C', 'copy', 'fsck')).toBe('');
});

it('git asks for a password where there is no token, and is refused with a wrong one', async () => {
  const bare = await git('clone', '-q', remote('').replace('x:@', ''), 'none');
  expect(bare.stderr).toMatch(/could not read Username/);
  const wrong = await git('clone', '-q', remote('exe1.wrong'), 'none');
  expect(wrong.stderr).toMatch(/Authentication failed/);
});
