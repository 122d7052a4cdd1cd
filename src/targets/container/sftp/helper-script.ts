/**
 * The program that reaches files through the programs of an image: one sh for a whole session, which
 * reads a line per request (`ID OPERATION WORD…`) and answers with output, status and error text. Words
 * are encoded for `printf %b`, so a name is only ever data. ID is a random number of the request: what
 * separates an answer from file content that nobody could have prepared.
 */

export const helperScript = `
exec 3>&1
set -f
unset CDPATH
facts='%f %s %u %g %X %Y %h'
say() { printf '%s:%s:%s:%s;' "$id" "$1" "$err" "$id"; }
run() { err=$("$@" 2>&1 >&3 </dev/null); say $?; }
fail() { echo "postern: $1" >&2; return 1; }
decode() { decoded=$(printf '%b.' "$1"); decoded=\${decoded%.}; }
new_mask() { printf '%o' $((0$(umask) | (~0$1 & 0777))); }
absent() { [ ! -e "$1" ] && [ ! -L "$1" ] || fail 'File exists'; }
list() {
  stat -L -c %f -- "$a" >/dev/null || return
  [ -d "$a" ] || fail 'Not a directory' || return
  [ -r "$a" ] && [ -x "$a" ] || fail 'Permission denied' || return
  cd -- "$a" || return
  stat -c "$id $facts %n" -- . ..
  if command -v find >/dev/null 2>&1; then
    find . ! -name . -prune -exec stat -c "$id $facts %n" -- {} + 2>/dev/null
  else
    set +f
    stat -c "$id $facts %n" -- ./* ./.[!.]* ./..?* 2>/dev/null
  fi
  return 0
}
open() {
  [ ! -d "$a" ] || case $b in *w*) fail 'Is a directory' || return ;; esac
  [ ! -p "$a" ] || fail 'Operation not supported' || return
  if [ -e "$a" ]; then
    case $b in
    *x*) fail 'File exists' || return ;;
    *t*) : >"$a" || return ;;
    *w*) : >>"$a" || return ;;
    esac
    case $b in *r*) [ -r "$a" ] || fail 'Permission denied' ;; esac
    return
  fi
  case $b in *c*) ;; *) stat -L -c %f -- "$a" >/dev/null; return ;; esac
  [ "$c" = - ] || umask "$(new_mask "$c")"
  case $b in *x*) set -C ;; esac
  : >"$a" || return
  case $c in *[1357]*) chmod "$(printf '%o' $((0$c & ~0$d)))" -- "$a" ;; esac
}
read_part() {
  [ ! -d "$a" ] || fail 'Is a directory' || return
  [ ! -p "$a" ] || fail 'Operation not supported' || return
  dd if="$a" bs=262144 iflag=skip_bytes,count_bytes,fullblock skip="$b" count="$c"
}
write_part() {
  [ -e "$a" ] || fail 'No such file or directory' || return
  [ ! -p "$a" ] || fail 'Operation not supported' || return
  case $b in
  end) cat >>"$a" ;;
  *) dd of="$a" bs=262144 conv=notrunc oflag=seek_bytes seek="$b" ;;
  esac
}
write() {
  err=$({ dd bs="$c" count=1 iflag=fullblock 2>/dev/null || kill -KILL $$; } | {
    write_part 2>&1 || { status=$?; cat >/dev/null; exit $status; }
  })
  say $?
}
set_attributes() {
  if [ -n "$b" ]; then stat -c %f -- "$a" >/dev/null; else stat -L -c %f -- "$a" >/dev/null; fi || return
  [ "$c" = - ] || truncate -c -s "$c" -- "$a" || return
  [ "$d" = - ] || chmod "$d" -- "$a" || return
  [ "$e" = - ] || chown $b "$e" -- "$a" || return
  [ "$f" = - ] || touch -c $b -a -d "@$f" -- "$a" || return
  [ "$g" = - ] || touch -c $b -m -d "@$g" -- "$a"
}
rename() {
  stat -c %f -- "$a" >/dev/null || return
  if [ "$c" = new ]; then absent "$b" || return; fi
  if [ -L "$b" ] && [ -d "$b" ]; then rm -- "$b" || return; fi
  if [ -d "$b" ]; then
    if [ -d "$a" ] && [ ! -L "$a" ]; then rmdir -- "$b" || return; else fail 'Is a directory' || return; fi
  fi
  mv -f -- "$a" "$b"
}
hard_link() { absent "$b" && ln -- "$a" "$b"; }
symbolic_link() { absent "$b" && ln -s -- "$a" "$b"; }
read_link() { stat -c %f -- "$a" >/dev/null && { readlink -n -- "$a" || fail 'Invalid argument'; }; }
make_folder() { [ "$b" = - ] || umask "$(new_mask "$b")"; mkdir -- "$a"; }
synchronize() { sync -- "$a" 2>/dev/null || sync; }
while IFS=' ' read -r id op a b c d e f g; do
  case $a in *\\\\*) decode "$a" && a=$decoded ;; esac
  case $b in *\\\\*) decode "$b" && b=$decoded ;; esac
  case $op in
  start) run pwd ;;
  stat) run stat -L -c "$facts" -- "$a" ;;
  lstat) run stat -c "$facts" -- "$a" ;;
  list) run list ;;
  open) d=$(umask); run open ;;
  read) run read_part ;;
  write) write ;;
  set) [ "$b" = - ] && b=; run set_attributes ;;
  mkdir) run make_folder ;;
  rmdir) run rmdir -- "$a" ;;
  remove) run rm -- "$a" ;;
  rename) run rename ;;
  link) run hard_link ;;
  symlink) run symbolic_link ;;
  readlink) run read_link ;;
  resolve) run readlink -n -f -- "$a" ;;
  filesystem) run stat -f -c '%s %S %b %f %a %c %d %l' -- "$a" ;;
  sync) run synchronize ;;
  *) err=; say 1 ;;
  esac
done
`;
