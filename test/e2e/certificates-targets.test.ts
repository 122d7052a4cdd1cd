/** Where people get with certificates: into targets, by login name and by jump, and no further than these say. */
import { describe, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificates.ts';
import { startCertifiedGateway } from '../support/certified-gateway.ts';
import { forAllTests } from '../support/lifetimes.ts';
import { container, listedEngine } from '../support/people.ts';
import { type KeyPair, runProgram, type SshOptions, sshArguments } from '../support/ssh-client.ts';

const { engine } = listedEngine([container('web', { labels: { 'rexec.owner': 'alice, bob' } })]);
const gateway = forAllTests(
  () => startCertifiedGateway({ overrides: { engine } }),
  ({ door }) => door.stop(),
);

const certificate = (principals: string, options: readonly string[] = []) =>
  makeCertificate(gateway.authority, { principals, options });

const enter = (key: KeyPair, options: SshOptions = {}) =>
  gateway.door.ssh('id', { key, login: 'rexec-web', ...options });

/** `ssh -J`, with a key of its own for each hop. */
const jump = (outer: KeyPair, inner: KeyPair) => {
  const { door } = gateway;
  const proxy = ['ssh', ...sshArguments(door, { key: outer }), '-p', String(door.port), '-W', '%h:%p'];
  const args = [
    '-o',
    `ProxyCommand=${proxy.join(' ')} x@127.0.0.1`,
    '-o',
    `HostKeyAlias=[127.0.0.1]:${door.port}`,
  ];
  return runProgram('ssh', [...sshArguments(door, { key: inner, args }), 'root@rexec-web', 'id']);
};

describe('by login name', () => {
  it('a certificate enters what its account may enter', async () => {
    const outcome = await enter(await certificate('alice'));
    expect(outcome.text).toBe('(default)@web: id\n');
    expect(outcome.status).toBe(7);
  });

  it('its force-command runs in the target too', async () => {
    const outcome = await enter(await certificate('alice', ['force-command=uptime']));
    expect(outcome.text).toBe('(default)@web: uptime\n');
  });

  it('an account without leave gets no further than before', async () => {
    const added = await gateway.door.ssh('account add dora');
    expect(added.status).toBe(0);
    const outcome = await enter(await certificate('dora'));
    expect(outcome.stderr).toContain('no target "web" for you here');
  });
});

describe('by jump', () => {
  it('a certificate opens both connections', async () => {
    const key = await certificate('alice');
    const outcome = await jump(key, key);
    expect(outcome.stderr).toBe('');
    expect(outcome.text).toBe('root@web: id\n');
  });

  it('without permit-port-forwarding it opens none', async () => {
    const outcome = await jump(
      await certificate('alice', ['no-port-forwarding']),
      await certificate('alice'),
    );
    expect(outcome.status).toBe(255);
    expect(outcome.text).toBe('');
  });

  it('bound to a command it opens none, whatever the certificate behind it may', async () => {
    const outcome = await jump(await certificate('alice', ['force-command=id']), await certificate('alice'));
    expect(outcome.status).toBe(255);
    expect(outcome.text).toBe('');
  });

  it("somebody else's certificate is nobody inside", async () => {
    const outcome = await jump(await certificate('alice'), await certificate('bob'));
    expect(outcome.stderr).toContain('Permission denied');
    expect(outcome.status).toBe(255);
  });
});
