import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { runProgram } from '../support/ssh-client.ts';

const require = createRequire(import.meta.url);

it("ssh2's native crypto is built for the Node that runs us, and in use", () => {
  const crypto: { bindingAvailable: boolean } = require('ssh2/lib/protocol/crypto.js');
  expect(crypto.bindingAvailable).toBe(true);
});

it('collected-cipher: ciphers that are dropped while bytes arrive do not end the process', async () => {
  const script = new URL('../support/collect-ciphers.ts', import.meta.url).pathname;
  const { text, stderr } = await runProgram(process.execPath, [script]);
  expect({ text, stderr }).toEqual({ text: 'alive\n', stderr: '' });
});

it('the Node that bin/postern chooses is 24 or 25', () => {
  const script = '. scripts/find-node.sh && find_node "$PWD"';
  const node = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).trim();
  expect(execFileSync(node, ['--version'], { encoding: 'utf8' })).toMatch(/^v2[45]\./);
});
