/** Programs that the tests run, each with the Debian package that holds it. */
export const programs: Readonly<Record<string, string>> = {
  ssh: 'openssh-client',
  sshd: 'openssh-server',
  dockerd: 'docker.io',
  docker: 'docker.io',
  iptables: 'iptables',
  tmux: 'tmux',
  ps: 'procps',
  ip: 'iproute2',
  python3: 'python3',
  'g++': 'g++',
  make: 'make',
  '/etc/ssl/certs/ca-certificates.crt': 'ca-certificates',
  // The clients of test/e2e/clients, with what their drivers are compiled or run with.
  plink: 'putty-tools',
  dbclient: 'dropbear-bin',
  '/usr/bin/python3': 'python3',
  '/usr/lib/python3/dist-packages/paramiko': 'python3-paramiko',
  '/usr/lib/python3/dist-packages/asyncssh': 'python3-asyncssh',
  '/usr/include/libssh/libssh.h': 'libssh-dev',
  '/usr/share/doc/libssh-dev/examples/ssh_client.c': 'libssh-doc',
  curl: 'curl',
  go: 'golang-go',
  '/usr/share/gocode/src/golang.org/x/crypto/ssh': 'golang-golang-x-crypto-dev',
  '/usr/share/gocode/src/github.com/pkg/sftp': 'golang-github-pkg-sftp-dev',
  ruby: 'ruby',
  '/usr/share/doc/ruby-net-ssh': 'ruby-net-ssh',
  '/usr/share/doc/ruby-net-sftp': 'ruby-net-sftp',
  '/usr/share/doc/ruby-ed25519': 'ruby-ed25519',
  '/usr/share/doc/ruby-bcrypt-pbkdf': 'ruby-bcrypt-pbkdf',
  javac: 'default-jdk-headless',
  '/usr/share/java/bcprov.jar': 'libbcprov-java',
  lftp: 'lftp',
  rclone: 'rclone',
  'ssh-audit': 'ssh-audit',
  wrk: 'wrk',
};

/** Programs that the images are made with. */
export const imageProgramsOf = {
  busybox: { busybox: 'busybox-static' },
  debian: { debootstrap: 'debootstrap', tar: 'tar' },
} as const;
