/** How each package manager is told to install an SSH server; in the order they are looked for. */
export interface PackageManager {
  readonly name: string;
  /** Argument lists, one program after the other. */
  readonly steps: readonly (readonly string[])[];
}

export const packageManagers: readonly PackageManager[] = [
  {
    name: 'apt-get',
    steps: [
      ['apt-get', 'update'],
      [
        ...['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', '--yes'],
        ...['--no-install-recommends', 'openssh-server'],
      ],
    ],
  },
  { name: 'apk', steps: [['apk', 'add', '--no-cache', 'openssh-server']] },
  { name: 'dnf', steps: [['dnf', 'install', '-y', 'openssh-server']] },
  { name: 'yum', steps: [['yum', 'install', '-y', 'openssh-server']] },
  { name: 'pacman', steps: [['pacman', '-Sy', '--noconfirm', '--needed', 'openssh']] },
  { name: 'zypper', steps: [['zypper', '--non-interactive', 'install', 'openssh']] },
];
