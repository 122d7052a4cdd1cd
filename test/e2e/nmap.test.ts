/** What nmap's ssh scripts say of the door: nothing weak, and no way in but keys. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { runProgram } from '../support/ssh-client.ts';

let door: TestGateway;
beforeAll(async () => {
  door = await startTestGateway();
});
afterAll(() => door.stop());

const report = async (script: string, ...args: string[]) => {
  // The plus: on any port, though it is not 22.
  const flags = ['-Pn', '-n', '-p', String(door.port), '--script', `+${script}`, ...args, '127.0.0.1'];
  return (await runProgram('nmap', flags)).text;
};

describe("nmap's ssh scripts", () => {
  it('ssh2-enum-algos: nothing weak is offered, and no compression', async () => {
    const text = await report('ssh2-enum-algos');
    expect(text).toMatch(/kex_algorithms: \(\d+\)[\s\S]*curve25519-sha256/);
    expect(text).toMatch(/server_host_key_algorithms: \(\d+\)[\s\S]*ssh-ed25519/);
    expect(text).toMatch(/compression_algorithms: \(1\)\s*\n\|_? +none/);
    expect(text).not.toMatch(
      /sha1|md5|-cbc|3des|arcfour|blowfish|cast128|ssh-rsa$|ssh-dss|group1-|group14-|umac-64|-96/m,
    );
  });

  it('ssh-auth-methods: no password; what asks for codes begins behind a key', async () => {
    const text = await report('ssh-auth-methods', '--script-args', 'ssh.user=root');
    const methods = [...text.matchAll(/^\|[ _] {4}(\S+)/gm)].map(([, method]) => method);
    expect(methods).toEqual(['publickey', 'keyboard-interactive']);
  });

  it('ssh-hostkey: gets no host key by the exchanges that it knows, which are the old ones', async () => {
    const text = await report('ssh-hostkey', '--script-args', 'ssh_hostkey=all');
    expect(text).toContain(`${door.port}/tcp open`);
    expect(text).not.toMatch(/\((DSA|ECDSA|RSA|RSA1)\)/);
  });

  it('sshv1: the old protocol is not spoken', async () => {
    const text = await report('sshv1');
    expect(text).toContain(`${door.port}/tcp open`);
    expect(text).not.toContain('sshv1');
  });
});
