/** Ansible over servers behind the gateway: one play for all, to its end. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './ssh-client.ts';

export interface Play {
  /** For what it writes: of its own. */
  readonly folder: string;
  /** An ssh_config that knows the hosts by these names. */
  readonly sshConfig: string;
  readonly hosts: readonly string[];
  /** Keeps Ansible's own connections open between two tasks, as it does unless told otherwise. */
  readonly keepsConnections: boolean;
  /** Modules by stdin; else as files, by sftp. */
  readonly pipelines: boolean;
  readonly timeoutMs: number;
}

const play = (folder: string) => `- hosts: all
  gather_facts: no
  tasks:
    - ping:
    - copy: { src: file.bin, dest: "${folder}/{{ inventory_hostname }}.bin", mode: "0640" }
    - command: sha256sum ${folder}/{{ inventory_hostname }}.bin
`;

/** Pings each, copies a file to each, and runs a command in each. Resolves to the hosts that failed, with what was said of it. */
export async function runPlay({
  folder,
  sshConfig,
  hosts,
  keepsConnections,
  pipelines,
  timeoutMs,
}: Play): Promise<string> {
  await mkdir(folder, { recursive: true });
  const rows = hosts.map((host) => `${host} ansible_python_interpreter=/usr/bin/python3\n`);
  await writeFile(join(folder, 'inventory'), rows.join(''));
  const file = 'a line of a file that is copied\n'.repeat(3_000);
  await writeFile(join(folder, 'file.bin'), file);
  await writeFile(join(folder, 'play.yml'), play(folder));
  const master = keepsConnections ? '-o ControlMaster=auto -o ControlPersist=5s' : '-o ControlMaster=no';
  const { text, stderr, status } = await runProgram(
    'ansible-playbook',
    ['-f', String(hosts.length), '-i', join(folder, 'inventory'), join(folder, 'play.yml')],
    {
      timeoutMs,
      env: {
        HOME: folder,
        ANSIBLE_SSH_ARGS: `-F ${sshConfig} ${master}`,
        ANSIBLE_PIPELINING: pipelines ? 'True' : 'False',
        ANSIBLE_SSH_CONTROL_PATH_DIR: join(folder, 'cp'),
        ANSIBLE_NOCOLOR: '1',
        LC_ALL: 'C.UTF-8',
      },
    },
  );
  const done = (host: string) => new RegExp(`^${host} +: ok=3 +changed=\\d +unreachable=0 +failed=0`, 'm');
  const failed = hosts.filter((host) => !done(host).test(text));
  if (failed.length > 0 || status !== 0) return `${failed.join(', ')} (${status}): ${text}${stderr}`;
  for (const host of hosts) {
    const copy = join(folder, `${host}.bin`);
    if ((await readFile(copy, 'utf8')) !== file) return `${host}: the copy differs`;
    await rm(copy);
  }
  return '';
}
