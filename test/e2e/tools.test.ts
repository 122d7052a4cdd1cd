/** Ansible, git and rsync against containers, by both routes. */
import { execFileSync } from 'node:child_process';
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestContainer } from '../support/containers.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { runProgram } from '../support/ssh-client.ts';
import { sshConfigFile } from '../support/ssh-config-file.ts';
import { runToolContainer } from '../support/tool-container.ts';

let door: TestGateway;
let config: string;
let folder: string;
let containers: readonly [TestContainer, TestContainer];
beforeAll(async () => {
  door = await startTestGateway();
  config = await sshConfigFile(door);
  folder = door.folder;
  containers = await Promise.all([runToolContainer(), runToolContainer()]);
  for (const { name } of containers) {
    await appendFile(
      config,
      `Host login-${name}\n  HostName localhost\n  User app+${name}\n  Port ${door.port}\n  HostKeyAlias postern\n  IdentityFile ${door.admin.file}\n  IdentitiesOnly yes\n`,
    );
  }
});
afterAll(async () => {
  await Promise.all(containers.map((container) => container.remove()));
  await door.stop();
});

/** The user app in a container, through ProxyJump and by login name. */
const routes = (name: string) => [`app@rexec-${name}`, `login-${name}`] as const;

describe('Ansible', () => {
  it.each([
    ['with pipelining', 'True'],
    ['without', 'False'],
  ])(
    'pings, copies, fills a template and runs a command in two containers, %s',
    async (_name, pipelining) => {
      const here = await mkdtemp(join(folder, 'ansible-'));
      // The first through ProxyJump. The second by login name, which ssh_config says: Ansible takes what stands
      // before @ for the user whose ~ it looks for.
      const hosts = containers.map(({ name }, n) => {
        const [user, host = user] = (routes(name)[n] as string).split('@');
        return `host${n} ansible_host=${host} marker=m${n}${n === 0 ? ` ansible_user=${user}` : ''}`;
      });
      await writeFile(
        join(here, 'inventory'),
        `[all]\n${hosts.join('\n')}\n[all:vars]\nansible_python_interpreter=/usr/bin/python3\n`,
      );
      await writeFile(join(here, 'file.bin'), Buffer.from(Array.from({ length: 70_000 }, (_, n) => n % 256)));
      await writeFile(join(here, 'page.j2'), 'I am {{ marker }}\n');
      await writeFile(
        join(here, 'play.yml'),
        `- hosts: all
  gather_facts: no
  tasks:
    - ping:
    - copy: { src: file.bin, dest: "~/file.bin", mode: "0640" }
    - template: { src: page.j2, dest: "~/page", mode: "0644" }
    - command: sha256sum file.bin
      args: { chdir: "~" }
      register: sum
    - debug: { var: sum.stdout }
    - command: /bin/false
      ignore_errors: yes
`,
      );
      const outcome = await runProgram(
        'ansible-playbook',
        ['-i', join(here, 'inventory'), join(here, 'play.yml')],
        {
          timeoutMs: 150_000,
          env: {
            HOME: here,
            ANSIBLE_PIPELINING: pipelining,
            ANSIBLE_SSH_ARGS: `-F ${config} -o ControlMaster=auto -o ControlPersist=5s`,
            ANSIBLE_SSH_CONTROL_PATH_DIR: join(here, 'cp'),
            ANSIBLE_NOCOLOR: '1',
            ANSIBLE_LOCALHOST_WARNING: 'False',
            LC_ALL: 'C.UTF-8',
          },
        },
      );
      expect(outcome.text).toMatch(/host0 +: ok=6 +changed=\d +unreachable=0 +failed=0 .*ignored=1/);
      expect(outcome.text).toMatch(/host1 +: ok=6 +changed=\d +unreachable=0 +failed=0 .*ignored=1/);
      const sum = execFileSync('sha256sum', [join(here, 'file.bin')], { encoding: 'utf8' }).split(' ')[0];
      expect(outcome.text.split(sum as string)).toHaveLength(3);
      for (const [n, { sh }] of containers.entries()) {
        expect(await sh('cat ~app/page; stat -c "%a %U" ~app/file.bin')).toBe(`I am m${n}\n640 app`);
        await sh('rm -f ~app/page ~app/file.bin');
      }
    },
    180_000,
  );
});

describe('git', () => {
  it('pushes to a bare repository in a container and clones from it, by both routes', async () => {
    const [{ name, sh }] = containers;
    await sh("su app -c 'git init -q --bare ~/repo.git'");
    const env = {
      HOME: folder,
      GIT_SSH_COMMAND: `ssh -F ${config}`,
      GIT_CONFIG_GLOBAL: '/dev/null',
      ...{
        GIT_AUTHOR_NAME: 'a',
        GIT_AUTHOR_EMAIL: 'a@b',
        GIT_COMMITTER_NAME: 'a',
        GIT_COMMITTER_EMAIL: 'a@b',
      },
    };
    const git = async (...args: readonly string[]) => {
      const outcome = await runProgram('git', args, { env, timeoutMs: 60_000 });
      expect([outcome.status, outcome.status === 0 ? '' : outcome.stderr]).toEqual([0, '']);
      return outcome.text;
    };
    for (const [n, host] of routes(name).entries()) {
      const work = join(folder, `work-${n}`);
      await git('clone', '-q', `${host}:repo.git`, work);
      for (let file = 0; file < 50; file++)
        await writeFile(join(work, `f${n}-${file}`), `${file}\n`.repeat(2_000));
      await git('-C', work, 'add', '-A');
      await git('-C', work, 'commit', '-q', '-m', `by route ${n}`);
      await git('-C', work, 'push', '-q', 'origin', 'HEAD:refs/heads/main');
      const again = join(folder, `again-${n}`);
      await git('clone', '-q', '-b', 'main', `ssh://${host}/home/app/repo.git`, again);
      expect(await git('-C', again, 'rev-parse', 'HEAD')).toBe(await git('-C', work, 'rev-parse', 'HEAD'));
      if (n === 0) await sh("su app -c 'git -C ~/repo.git symbolic-ref HEAD refs/heads/main'");
    }
  });
});

describe('rsync', () => {
  const rsync = (...args: readonly string[]) =>
    runProgram('rsync', ['-e', `ssh -F ${config}`, ...args], { timeoutMs: 60_000 });

  it('takes 5,000 files with -a --delete, then what changed, then gives all of it back', async () => {
    const [, container] = containers;
    const tree = join(folder, 'tree');
    for (let n = 0; n < 50; n++) {
      await mkdir(join(tree, `folder ${n}`), { recursive: true });
      for (let m = 0; m < 100; m++) await writeFile(join(tree, `folder ${n}/file ${m}`), `${n} ${m}\n`);
    }
    await symlink('folder 0/file 0', join(tree, 'link'));
    await chmod(join(tree, 'folder 0/file 0'), 0o751);
    await utimes(join(tree, 'folder 0/file 1'), 1e9, 1e9);
    const there = `app@rexec-${container.name}:tree`;
    const up = await rsync('-a', '--delete', '--stats', `${tree}/`, there);
    expect([up.stderr, up.status]).toEqual(['', 0]);
    expect(up.text).toMatch(/Number of created files: 5,05\d /);
    await rm(join(tree, 'folder 1'), { recursive: true });
    await writeFile(join(tree, 'folder 2/file 2'), 'changed');
    await writeFile(join(tree, 'folder 2/new -rf $(id)'), 'new');
    const again = await rsync('-a', '--delete', '--stats', `${tree}/`, there);
    expect(again.text).toMatch(/Number of deleted files: 101 /);
    expect(again.text).toMatch(/regular files transferred: 2\n/);
    expect(await container.sh('stat -c "%a %U" "$(echo ~app)/tree/folder 0/file 0"')).toBe('751 app');
    // The other route, down.
    const back = join(folder, 'back');
    const down = await rsync('-a', '--delete', `${routes(container.name)[1]}:tree/`, back);
    expect([down.stderr, down.status]).toEqual(['', 0]);
    const same = await rsync('-rlptin', '--delete', `${tree}/`, `${back}/`);
    expect(same.text.slice(0, 500)).toBe('');
    expect(await readFile(join(back, 'link'), 'utf8')).toBe('0 0\n');
  });

  it('says what failed: no rsync there, no such folder, no permission', async () => {
    const [container] = containers;
    const refused = await rsync('-a', config, `app@rexec-${container.name}:/root/x`);
    expect([refused.status, refused.stderr]).toEqual([
      expect.any(Number),
      expect.stringContaining('Permission denied'),
    ]);
    expect(refused.status).not.toBe(0);
    const absent = await rsync(
      '--rsync-path=absent-rsync',
      '-a',
      config,
      `app@rexec-${container.name}:/tmp/x`,
    );
    expect(absent.status).not.toBe(0);
    expect(absent.stderr).toMatch(/absent-rsync: .*not found/);
  });
});
