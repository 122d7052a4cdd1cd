/**
 * An engine on another machine, as far as one machine can be two: a Docker Engine with a network and a file system of its own, by
 * TLS over a wire, and by a real sshd.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { images, runLabel, testLabel } from '../support/engine.ts';
import { type EngineCertificates, makeEngineCertificates } from '../support/engine-certificates.ts';
import { claimEverythingInside } from '../support/everything-inside.ts';
import { type HostsBehind, lettingIn, startHostsBehind } from '../support/hosts-behind.ts';
import { type OwnEngine, startOwnEngine, tlsAddress } from '../support/own-engine.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';

let certificates: EngineCertificates;
let others: EngineCertificates;
let engine: OwnEngine;
let door: HostsBehind;
let sshd: Sshd;
let id: string;
const name = 'far-away';

beforeAll(async () => {
  [certificates, others] = await Promise.all([
    makeEngineCertificates(`IP:${tlsAddress}`),
    makeEngineCertificates(`IP:${tlsAddress}`),
  ]);
  engine = await startOwnEngine([images.busybox], { tls: certificates, isElsewhere: true });
  const labels = ['--label', `${testLabel}=1`, '--label', `${runLabel}=${process.env['TEST_RUN_ID'] ?? ''}`];
  const what = [images.busybox, 'sleep', '100000'];
  const synced = ['--label', 'rexec.sync=true'];
  id = await engine.docker('run', '-d', '--network=none', '--name', name, ...labels, ...synced, ...what);
  // Without an engine of its own; nor is another test's container kept in step.
  door = await startHostsBehind({ config: { docker: 'unix:///nowhere/docker.sock', sync: 'labelled' } });
  sshd = await startSshd(await lettingIn(door.identity));
  await door.addHost('machine', sshd.port);
  await certificates.installIn(door.dataDir, 'far');
  await certificates.installIn(door.dataDir, 'wrong', others);
}, 120_000);

afterAll(async () => {
  await door?.stop();
  await sshd?.stop();
  await engine?.stop();
  for (const each of [certificates, others]) await each?.remove();
});

describe('registering', () => {
  it('by TLS and by a registered host, and both answer', async () => {
    const url = `tcp://${tlsAddress}:2376`;
    const added = [
      await door.ssh(`engine add tls ${url} --tls=far`),
      await door.ssh(`engine add wired ${engine.host} --ssh=machine`),
    ];
    for (const { status, stderr } of added) expect([status, stderr]).toEqual([0, '']);
    for (const by of ['wired', 'tls'])
      await expect.poll(async () => (await door.ssh('ls')).text).toContain(`${by}/${name}`);
    expect((await door.ssh('engine list')).text).toMatch(/tls +up .*\n.*wired +up .*ssh machine/);
  });

  it('an engine that another authority has signed is told of, and sent nothing', async () => {
    const url = `tcp://${tlsAddress}:2376`;
    const added = await door.ssh(`engine add wrong ${url} --tls=wrong`);
    expect(added.stderr).toContain('the engine "wrong" cannot be reached (TLS: ');
    expect((await door.ssh(`ls`)).text).not.toContain('wrong/');
    await door.ssh('engine remove wrong');
  });

  it('the host that an engine is reached through is not removed', async () => {
    expect((await door.ssh('host remove machine')).stderr).toContain('engines (--ssh) are reached through');
  });
});

describe.each(['tls', 'wired'])('in a container of the engine "%s"', (by) => {
  claimEverythingInside(
    () => door,
    () => `rexec-${name}.${by}`,
  );

  it('it is that container', async () => {
    expect((await door.ssh('hostname', { login: `rexec-${name}.${by}` })).text).toBe(`${id.slice(0, 12)}\n`);
  });
});

it("its containers' authorized_keys follow the keys that reach them", async () => {
  const read = () => engine.docker('exec', name, 'cat', '/root/.ssh/authorized_keys').catch(() => '');
  await expect.poll(read, { timeout: 20_000 }).toContain(door.admin.publicKey.split(' ')[1]);
  const second = await door.addMember('anna', 'admin');
  await expect.poll(read, { timeout: 20_000 }).toContain(second.publicKey.split(' ')[1]);
});

describe('an engine on another machine that goes away', () => {
  it('ends its sessions with a sentence, and is there again when it is', async () => {
    const running = door.ssh('sleep 1000', { login: `rexec-${name}.tls` });
    await expect.poll(async () => (await door.ssh('session list')).text).toContain(`tls/${name}`);
    await engine.kill();
    expect(await running).toMatchObject({ status: 255 });
    const refused = await door.ssh('true', { login: `rexec-${name}.tls` });
    expect(refused.stderr).toContain('the engine "tls" cannot be reached');
    await engine.start();
    await engine.docker('start', name);
    for (const by of ['tls', 'wired']) {
      await expect
        .poll(async () => (await door.ssh('true', { login: `rexec-${name}.${by}` })).status, {
          timeout: 30_000,
        })
        .toBe(0);
    }
  });
});

it('nothing of the keys is in the log', async () => {
  const log = JSON.stringify(door.logged());
  expect(log).toContain('the engine answers');
  expect(log).not.toContain('PRIVATE KEY');
});
