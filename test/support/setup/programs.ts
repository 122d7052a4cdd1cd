/** Programs that the tests run, each with the Debian package that holds it. */
export const programs: Readonly<Record<string, string>> = {
  ssh: 'openssh-client',
  sshd: 'openssh-server',
  dockerd: 'docker.io',
  docker: 'docker.io',
  iptables: 'iptables',
  tmux: 'tmux',
  plink: 'putty-tools',
  ps: 'procps',
  ip: 'iproute2',
  python3: 'python3',
  'g++': 'g++',
  make: 'make',
  '/etc/ssl/certs/ca-certificates.crt': 'ca-certificates',
};

/** Programs that the images are made with. */
export const imageProgramsOf = {
  busybox: { busybox: 'busybox-static' },
  debian: { debootstrap: 'debootstrap', tar: 'tar' },
} as const;
