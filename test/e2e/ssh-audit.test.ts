/** What ssh-audit says of the door: the one that Debian has, and the one of its next release. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { newer } from '../support/setup/newer-packages.ts';
import { runProgram } from '../support/ssh-client.ts';

let door: TestGateway;
beforeAll(async () => {
  door = await startTestGateway();
});
afterAll(() => door.stop());

const python = '/usr/bin/python3';
const audits: [version: string, program: string[], env: NodeJS.ProcessEnv][] = [
  ['of this Debian', [python, '/usr/bin/ssh-audit'], {}],
  ['of the next Debian', [python, newer.sshAudit], { PYTHONPATH: newer.pythonPath }],
];

/**
 * What the profiles "Hardened OpenSSH Server" bring warnings for themselves: none for what they name, but
 * ssh-audit before 3 does not know this marker against Terrapin, and warns of what it does not know.
 */
const warningsOfTheProfile = [/kex-strict-s-v00@openssh\.com/, /mlkem768x25519-sha256 .*unknown algorithm/];

describe.each(audits)('ssh-audit %s', (_version, [program, ...first], env) => {
  const audit = (...args: string[]) =>
    runProgram(program as string, [...first, ...args, '-p', String(door.port), '127.0.0.1'], { env });

  it('fails nothing, and warns of nothing that its hardened profile does not have too', async () => {
    const { text } = await audit('-n');
    expect(text).toMatch(/^\(kex\) curve25519-sha256/m);
    expect(text).toMatch(/^\(mac\) hmac-sha2-256-etm/m);
    const lines = text.split('\n');
    expect(lines.filter((line) => line.includes('[fail]'))).toEqual([]);
    const warnings = lines.filter((line) => line.includes('[warn]'));
    expect(warnings.filter((line) => !warningsOfTheProfile.some((known) => known.test(line)))).toEqual([]);
  });

  it('is offered no SHA-1, and no elliptic curve of NIST', async () => {
    const { kex, key, mac } = JSON.parse((await audit('-j')).text) as Record<string, unknown>;
    const offered = JSON.stringify([kex, key, mac]);
    expect(offered).toContain('rsa-sha2-512');
    expect(offered).not.toMatch(/"ssh-rsa"|sha1|nistp/);
  });
});
