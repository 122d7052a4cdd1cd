/** Keys written into the authorized_keys of real containers, with every trap in the way that somebody inside can set. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { docker } from '../support/containers.ts';
import { images } from '../support/engine.ts';
import { block, type KeyFileTest, lineOf, openKeyFileTest, reachingKey } from '../support/key-files.ts';

const laptop = reachingKey('laptop');
const desk = reachingKey('desk');
const mine = 'ssh-ed25519 AAAAmine somebody\n';

describe.each(['busybox', 'debian'] as const)('in a container of %s', (image) => {
  let test: KeyFileTest;
  beforeAll(async () => {
    test = await openKeyFileTest({ image: images[image] });
  });
  afterAll(() => test.close());
  beforeEach(() => test.container.sh('rm -rf /home/app/.ssh'));

  const asApp = (script: string) => test.container.sh(`cd /home/app; ${script}; chown -R app .ssh`);

  it('the file and its folder are made, for its user alone', async () => {
    expect(await test.sync([laptop, desk])).toEqual({ synced: 2, leftOut: [], user: 'app' });
    expect(await test.file()).toBe(`app 600\n${block(lineOf(laptop), lineOf(desk))}`);
    expect(await test.container.sh('stat -c "%U %a" /home/app/.ssh')).toBe('app 700');
    expect(await test.container.sh('ls -A /home/app/.ssh')).toBe('authorized_keys');
  });

  it('with no keys to write, nothing is made', async () => {
    expect((await test.sync([])).synced).toBe(0);
    expect(await test.container.sh('ls -A /home/app')).not.toContain('.ssh');
  });

  it('lines of others stay where they are, byte for byte, and the block keeps its place', async () => {
    await asApp(
      `mkdir .ssh; printf '# caf\\351\\r\\n\\n%s' '${mine.trim()}' >.ssh/authorized_keys; chmod 755 .ssh`,
    );
    await test.sync([laptop]);
    await asApp(`echo 'after' >>.ssh/authorized_keys; chmod 644 .ssh/authorized_keys`);
    await test.sync([desk]);
    expect(await test.file()).toBe(`app 600\n# caf\ufffd\r\n\n${mine}${block(lineOf(desk))}after\n`);
    expect(await test.container.sh('head -c 6 /home/app/.ssh/authorized_keys | od -An -tx1')).toContain('e9');
    await test.sync([]);
    expect(await test.file()).toBe(`app 600\n# caf\ufffd\r\n\n${mine}after\n`);
    expect(await test.container.sh('stat -c %a /home/app/.ssh')).toBe('700');
  });

  it('what is right already is not written again', async () => {
    await test.sync([laptop]);
    const inode = await test.container.sh('stat -c %i /home/app/.ssh/authorized_keys');
    expect((await test.sync([laptop])).synced).toBe(1);
    expect(await test.container.sh('stat -c %i /home/app/.ssh/authorized_keys')).toBe(inode);
  });

  it('withdrawing takes keys away and adds none', async () => {
    await test.sync([laptop]);
    expect((await test.sync([laptop, desk], 'withdraw')).synced).toBe(1);
    expect(await test.file()).toBe(`app 600\n${block(lineOf(laptop))}`);
    await test.sync([desk], 'withdraw');
    expect(await test.file()).toBe('app 600\n');
  });

  it('marker-in-comment: a name that is our end marker, or holds a new line, ends nothing', async () => {
    const { key } = reachingKey('x');
    const named = (name: string) => reachingKey(name, { publicKey: key.publicKey });
    await test.sync([named(`\n# postern end\n${mine}`)]);
    const text = await test.file();
    expect(text).not.toContain(`\n${mine.trim()}`);
    expect(text.split('\n').filter((line) => line === '# postern end')).toHaveLength(1);
    await test.sync([]);
    expect(await test.file()).toBe('app 600\n');
  });

  it.each([
    [
      'symlinked-authorized-keys',
      'mkdir .ssh; touch /tmp/aim; chown app /tmp/aim; ln -s /tmp/aim .ssh/authorized_keys',
      'symbolic link',
    ],
    ['dangling-authorized-keys', 'mkdir .ssh; ln -s /tmp/nothing .ssh/authorized_keys', 'symbolic link'],
    [
      'symlinked-ssh-folder',
      'mkdir -p /tmp/elsewhere; chown app /tmp/elsewhere; ln -s /tmp/elsewhere .ssh',
      'symbolic link',
    ],
    ['ssh-is-a-file', 'touch .ssh', 'is not what its name says'],
    ['authorized-keys-is-a-folder', 'mkdir -p .ssh/authorized_keys', 'is not what its name says'],
    ['authorized-keys-is-a-fifo', 'mkdir .ssh; mkfifo .ssh/authorized_keys', 'is not what its name says'],
    ['huge-authorized-keys', 'mkdir .ssh; truncate -s 100G .ssh/authorized_keys', 'larger than 1 MiB'],
    [
      'block-without-end',
      "mkdir .ssh; echo '# postern begin: kept by the gateway, changed at every sync' >.ssh/authorized_keys; chmod 700 .ssh; chmod 600 .ssh/*",
      'lost its last line',
    ],
  ])('%s is refused, and nothing is written', async (_name, trap, reason) => {
    await asApp(trap);
    const before = await test.container.sh('ls -lARn /home/app /tmp');
    await expect(test.sync([laptop])).rejects.toThrow(reason);
    expect(await test.container.sh('ls -lARn /home/app /tmp')).toBe(before);
  });

  it('somebody-elses-file is refused', async () => {
    await test.container.sh('mkdir -m 755 /home/app/.ssh; touch /home/app/.ssh/authorized_keys');
    await expect(test.sync([laptop])).rejects.toThrow('belongs to somebody else');
    await test.container.sh('chown app /home/app/.ssh');
    await expect(test.sync([laptop])).rejects.toThrow('belongs to somebody else');
  });

  it('a file that somebody writes to all the time is never cut or mixed up', async () => {
    await asApp(`mkdir .ssh; echo '${mine.trim()}' >.ssh/authorized_keys`);
    await Promise.all([
      asApp(`for i in $(seq 200); do echo "# $i" >>.ssh/authorized_keys; sleep 0.01; done`),
      ...[[laptop], [laptop, desk], [desk]].map((keys) => test.sync(keys).catch(() => undefined)),
    ]);
    await test.sync([desk]);
    const text = await test.file();
    expect(text.startsWith(`app 600\n${mine}`)).toBe(true);
    expect(text.split(block(lineOf(desk)))).toHaveLength(2);
  });
});

describe('a container whose passwd lies', () => {
  let test: KeyFileTest;
  beforeAll(async () => {
    test = await openKeyFileTest();
  });
  afterAll(() => test.close());

  const withHome = async (home: string) => {
    await test.container.sh(
      `printf 'root:x:0:0:root:/root:/bin/sh\\napp:x:1000:1000:app:%s:/bin/sh\\n' '${home}' >/etc/passwd`,
    );
    // What is known of a container is kept until it starts anew.
    await test.container.sh('rm -rf /home/app/.ssh');
    await docker('restart', '-t', '0', test.container.id);
  };

  it.each([
    ['home-is-a-symlink', '/home/link', 'symbolic link'],
    ['home-of-root', '/root', 'belongs to somebody else'],
    ['home-with-dots', '/home/app/../app', 'symbolic link'],
    ['home-not-there', '/nowhere', 'is not there'],
    ['home-is-an-option', '/-rf', 'is not there'],
    ['home-is-a-script', '/$(touch /tmp/ran)', 'is not there'],
    ['home-is-the-root', '/', 'belongs to somebody else'],
  ])('%s is refused', async (_name, home, reason) => {
    await test.container.sh('ln -sfn /home/app /home/link');
    await withHome(home);
    await expect(test.sync([laptop])).rejects.toThrow(reason);
    expect(await test.container.sh('ls -A /root /tmp /home/app')).not.toMatch(/ssh|ran/);
  });
});

describe('containers that are in no state to', () => {
  it('container-stops-midway: the sync fails with a sentence, and the file is the old one or the new one', async () => {
    const test = await openKeyFileTest();
    try {
      await test.sync([laptop]);
      const running = test.sync([desk]);
      const failed = running.then(
        () => undefined,
        (error: { code: string }) => error.code,
      );
      await docker('kill', test.container.id);
      expect([undefined, 'container-ended', 'container-not-running', 'engine-failed']).toContain(
        await failed,
      );
      await docker('start', test.container.id);
      expect([block(lineOf(laptop)), block(lineOf(desk))]).toContain(
        (await test.file()).replace('app 600\n', ''),
      );
      await test.sync([desk]);
      expect(await test.container.sh('ls -A /home/app/.ssh')).toBe('authorized_keys');
    } finally {
      await test.close();
    }
  });

  it('without a shell in the image there is a sentence', async () => {
    const test = await openKeyFileTest({ image: images.noshell, user: '0' }).catch((error) => error);
    if (test instanceof Error) throw test;
    try {
      await expect(test.sync([laptop])).rejects.toThrow('its image has no shell');
    } finally {
      await test.close();
    }
  });
});
