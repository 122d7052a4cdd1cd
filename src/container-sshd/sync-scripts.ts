/**
 * The scripts that read and replace an authorized_keys file inside a container, as the user whose file it is: so neither
 * a link, a mount nor a lie in passwd leads anywhere that user cannot go already. Every folder is entered before it is
 * looked at; what is done after that is done in it, wherever its name leads by then.
 */

export const tooLarge = 'its authorized_keys is larger than 1 MiB';

/** What the scripts' exit statuses say; each completes "no keys were synced into web: …". */
export const refusals: ReadonlyMap<number, string> = new Map([
  [61, 'the home folder of its user is not there'],
  [62, 'a symbolic link is in the way (the home folder, .ssh or authorized_keys)'],
  [63, 'the home folder, .ssh or authorized_keys belongs to somebody else than its user'],
  [64, '.ssh or authorized_keys in the home folder is not what its name says'],
  [65, tooLarge],
  [66, 'what was to be written did not arrive whole; try again'],
]);

export const maxKeyFileBytes = 1024 * 1024;

/** Exit status of the writer: the file is no longer what was read. */
export const changedMeanwhile = 67;

// CDPATH would send `cd .ssh` elsewhere; "./" keeps it out.
const enterHome = `case $HOME in /) ;; */) HOME=\${HOME%/} ;; esac
cd -P -- "$HOME" 2>/dev/null || exit 61
[ "$(pwd -P)" = "$HOME" ] || exit 62
[ -O . ] || exit 63
[ ! -L .ssh ] || exit 62
`;

const enterFolder = `cd -P ./.ssh 2>/dev/null || exit 64
[ "$(pwd -P)" = "\${HOME%/}/.ssh" ] || exit 62
[ -O . ] || exit 63
`;

const checkFile = `check_file() {
  [ ! -L authorized_keys ] || exit 62
  [ -e authorized_keys ] || return 1
  [ -f authorized_keys ] || exit 64
  [ -O authorized_keys ] || exit 63
  [ "$(head -c $1 authorized_keys | wc -c)" -lt $1 ] || exit 65
}
`;

/** `LIMIT`: prints what identifies the file's content, or `absent`, and the content after that line. Sets the modes right. */
export const readScript = `${enterHome}${checkFile}[ -e .ssh ] || { echo absent; exit 0; }
${enterFolder}check_file "$1" || { echo absent; exit 0; }
chmod 700 . && chmod 600 authorized_keys || exit
sha256sum <authorized_keys || exit
cat authorized_keys`;

/**
 * `LIMIT CONTENT BYTES`: replaces the file by its stdin, if CONTENT, as the reader printed it, is still what is there, and
 * stdin has BYTES. Whoever reads the file meanwhile sees the old one or the new one.
 */
export const writeScript = `umask 077
${enterHome}${checkFile}[ -e .ssh ] || mkdir .ssh || exit
${enterFolder}rm -f ./.authorized_keys.postern.??????
temporary=$(mktemp ./.authorized_keys.postern.XXXXXX) || exit
trap 'rm -f "$temporary"' EXIT
trap 'exit 66' HUP TERM
cat >"$temporary" || exit
[ "$(wc -c <"$temporary")" -eq "$3" ] || exit 66
content=absent
if check_file "$1"; then content=$(sha256sum <authorized_keys) || exit; fi
[ "$content" = "$2" ] || exit ${changedMeanwhile}
chmod 700 . && chmod 600 "$temporary" && mv -f "$temporary" authorized_keys`;
