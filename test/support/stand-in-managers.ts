/** Package managers and an sshd that only note what they were asked, for images whose real ones are not to be had here. */
import type { TestContainer } from './containers.ts';

/** Notes its arguments, and brings an sshd and an ssh-keygen. */
const manager = `#!/bin/sh
echo "\${0##*/} $*" >>/tmp/asked
cp /opt/sshd /opt/ssh-keygen /usr/sbin/
`;

/** \`-T\` tells of its one file, as a server does that includes no folder; else it notes that it was started. */
const sshd = `#!/bin/sh
[ "$1" = -T ] || { echo "sshd started" >>/tmp/asked; exit; }
echo port 2022
tac /etc/ssh/sshd_config | while read -r key value; do
  case $key in
    PasswordAuthentication) echo "passwordauthentication $value" ;;
    KbdInteractiveAuthentication) echo "kbdinteractiveauthentication $value" ;;
  esac
done | tail -n 2
`;

const keygen = `#!/bin/sh
echo "ssh-keygen $*" >>/tmp/asked
`;

/** Makes a busybox container one whose image has these managers, none of which has been asked for anything. */
export async function putManagers(
  { sh }: TestContainer,
  names: readonly string[],
  script = manager,
): Promise<void> {
  await sh(`rm -rf /opt /usr /tmp/asked /etc/ssh /run/sshd
mkdir -p /opt /usr/bin /usr/sbin /etc/ssh
printf 'PasswordAuthentication yes\\nKbdInteractiveAuthentication yes\\n' >/etc/ssh/sshd_config
cat >/opt/sshd <<'END'
${sshd}END
cat >/opt/ssh-keygen <<'END'
${keygen}END
cat >/opt/manager <<'END'
${script}END
chmod 755 /opt/*
for name in ${names.join(' ')}; do cp /opt/manager "/usr/bin/$name"; done`);
}

/** What managers, ssh-keygen and sshd were asked, in order. */
export const asked = ({ sh }: TestContainer) => sh('cat /tmp/asked 2>/dev/null || true');
