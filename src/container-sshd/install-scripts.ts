/** The scripts of an installation; they run as root in the container. */
import { findRunning } from './sshd-status.ts';
import { withSystemPath } from './system-path.ts';

/** `NAME…`: prints the first of them that there is. */
export const detectScript = `${withSystemPath}for name in "$@"; do
  if command -v "$name" >/dev/null 2>&1; then echo "$name"; exit 0; fi
done`;

/** `PROGRAM ARGUMENT…`: both outputs in the order they were written. */
export const stepScript = `${withSystemPath}exec "$@" 2>&1`;

/**
 * Before the server is there, as packages start it by themselves. sshd_config takes the first value of each
 * keyword, and that folder is included at its top.
 */
export const forbidPasswordsScript = `mkdir -p /etc/ssh/sshd_config.d || exit
printf '%s\\n' 'PasswordAuthentication no' 'KbdInteractiveAuthentication no' >/etc/ssh/sshd_config.d/00-postern.conf`;

/** Where sshd does not read that folder, the same goes to the top of its one file. */
export const prepareScript = `${withSystemPath}umask 022
sshd=$(command -v sshd) || { echo 'the package brought no sshd'; exit 1; }
ssh-keygen -A || exit
mkdir -p -m 755 /run/sshd || exit
refuses_passwords() {
  "$sshd" -T | { passwords= codes=
    while read -r key value; do
      case $key in
        passwordauthentication) passwords=$value ;;
        kbdinteractiveauthentication | challengeresponseauthentication) codes=$codes$value ;;
      esac
    done
    [ "$passwords" = no ] && case $codes in *yes*) false ;; esac
  }
}
if ! refuses_passwords; then
  config=/etc/ssh/sshd_config
  { cat /etc/ssh/sshd_config.d/00-postern.conf "$config" >"$config.postern" && mv -f "$config.postern" "$config"; } || exit
  refuses_passwords || { echo 'sshd goes on taking passwords'; exit 1; }
fi`;

/** One that runs already reads its configuration again; those named sshd that serve somebody do not. */
export const startScript = `${withSystemPath}sshd=$(command -v sshd)
${findRunning}[ "$running" = yes ] || exec "$sshd"
"$sshd" -T | while read -r key value; do
  [ "$key" = pidfile ] || continue
  read -r pid <"$value" && kill -HUP "$pid" || { echo 'sshd runs and cannot be told that it was set up anew'; exit 1; }
done`;
